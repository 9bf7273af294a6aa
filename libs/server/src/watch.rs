//! Notices when a thread that serves calls stands still, and says at what.
//!
//! Tasks share few threads: one that computes for long, instead of waiting, keeps all
//! others of its thread from going on. Each thread notes which call or worker it is
//! polling; a thread of the system's, which nobody can keep from running, looks at these
//! notes. A task that only sleeps measures how late it is woken.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use opentelemetry::global;
use opentelemetry::metrics::Histogram;

use crate::service::Stop;

/// Longest that a thread may poll one piece of work, and that the runtime may be late,
/// without a word in the log.
pub(crate) const LONGEST_POLL: Duration = Duration::from_millis(250);
/// How often is looked.
const TICK: Duration = Duration::from_millis(50);

static STALL: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("redress")
        .f64_histogram("redress.runtime.stall")
        .with_unit("s")
        .with_description("How late a task that only sleeps is woken")
        .with_boundaries(vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0])
        .build()
});

/// What a thread is doing.
struct Note {
    thread: String,
    /// Counts beginnings and ends of polls.
    polls: AtomicU64,
    work: Mutex<Option<&'static str>>,
}

static NOTES: Mutex<Vec<Weak<Note>>> = Mutex::new(Vec::new());

thread_local! {
    static NOTE: RefCell<Option<Arc<Note>>> = const { RefCell::new(None) };
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Note {
    fn of_this_thread() -> Option<Arc<Self>> {
        NOTE.try_with(|note| {
            let mut note = note.borrow_mut();
            Arc::clone(note.get_or_insert_with(|| {
                let thread = std::thread::current().name().unwrap_or("without a name").to_owned();
                let note = Arc::new(Self { thread, polls: AtomicU64::new(0), work: Mutex::new(None) });
                locked(&NOTES).push(Arc::downgrade(&note));
                note
            }))
        })
        .ok()
    }

    fn change(&self, work: Option<&'static str>) -> Option<&'static str> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        std::mem::replace(&mut *locked(&self.work), work)
    }
}

/// Does something while this thread's note says so, and what it said before afterwards.
fn noted<T>(work: Option<&'static str>, job: impl FnOnce() -> T) -> T {
    struct Back(Arc<Note>, Option<&'static str>);
    impl Drop for Back {
        fn drop(&mut self) {
            self.0.change(self.1);
        }
    }
    let _back = Note::of_this_thread().map(|note| {
        let before = note.change(work);
        Back(note, before)
    });
    job()
}

/// Does something that may take long because nobody waits for this thread.
pub(crate) fn unwatched<T>(job: impl FnOnce() -> T) -> T {
    noted(None, job)
}

/// Work under its name.
pub(crate) struct Named<F> {
    name: &'static str,
    work: F,
}

/// Gives work a name, by which it is told of when a thread stands still at it.
pub(crate) fn named<F: Future + Unpin>(name: &'static str, work: F) -> Named<F> {
    Named { name, work }
}

impl<F: Future + Unpin> Future for Named<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let name = self.name;
        noted(Some(name), || Pin::new(&mut self.work).poll(cx))
    }
}

/// What was seen of the threads.
#[derive(Default)]
struct Watch {
    /// Of each thread its polls, and for how long they have been the same.
    seen: HashMap<*const Note, (u64, Duration)>,
}

impl Watch {
    /// Looks again, so long after the last time: the threads that have now stood still for
    /// too long, and at what.
    fn look(&mut self, tick: Duration) -> Vec<(String, &'static str)> {
        let mut notes = locked(&NOTES);
        notes.retain(|note| note.strong_count() > 0);
        let alive: Vec<Arc<Note>> = notes.iter().filter_map(Weak::upgrade).collect();
        drop(notes);
        let mut still = Vec::new();
        let mut seen = HashMap::with_capacity(alive.len());
        for note in alive {
            let (polls, work) = (note.polls.load(Ordering::Relaxed), *locked(&note.work));
            let place = Arc::as_ptr(&note);
            let before = self.seen.get(&place).filter(|(before, _)| *before == polls && work.is_some());
            let stood = before.map_or(Duration::ZERO, |(_, stood)| *stood + tick);
            // Once for each time.
            if let Some(work) =
                work.filter(|_| stood >= LONGEST_POLL && stood.saturating_sub(tick) < LONGEST_POLL)
            {
                still.push((note.thread.clone(), work));
            }
            seen.insert(place, (polls, stood));
        }
        self.seen = seen;
        still
    }
}

/// Watches until told to stop.
pub(crate) async fn run(stop: Stop) {
    let ended = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&ended);
    let watching = std::thread::Builder::new().name("watch".to_owned()).spawn(move || watch(&told));
    if let Err(error) = watching {
        tracing::warn!(%error, "nobody watches the threads");
    }
    loop {
        let asleep = Instant::now();
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(TICK) => {}
        }
        let late = asleep.elapsed().saturating_sub(TICK);
        STALL.record(late.as_secs_f64(), &[]);
        if late > LONGEST_POLL {
            tracing::warn!(late_s = late.as_secs_f64(), "the threads that serve calls stood still");
        }
    }
    ended.store(true, Ordering::Relaxed);
}

fn watch(ended: &AtomicBool) {
    let mut watch = Watch::default();
    let mut looked = Instant::now();
    while !ended.load(Ordering::Relaxed) {
        std::thread::sleep(TICK);
        let tick = looked.elapsed();
        looked = Instant::now();
        for (thread, work) in watch.look(tick.min(2 * TICK)) {
            tracing::warn!(thread, work, "a thread that serves calls stands still at this");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn mine(found: Vec<(String, &'static str)>, work: &str) -> usize {
        found.into_iter().filter(|(_, at)| *at == work).count()
    }

    #[test]
    fn a_thread_that_stands_still_is_told_of_once_by_its_work() {
        let (say, heard) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let stuck = std::future::poll_fn(|_| {
                let _ = (say.send(()), ended.recv());
                Poll::Ready(())
            });
            let mut stuck = named("CaseService/Stuck", stuck);
            let _ = Pin::new(&mut stuck).poll(&mut Context::from_waker(std::task::Waker::noop()));
        });
        heard.recv().expect("it has begun");
        let mut watch = Watch::default();
        let found: Vec<usize> = (0..8).map(|_| mine(watch.look(TICK), "CaseService/Stuck")).collect();
        assert_eq!(found, [0, 0, 0, 0, 0, 1, 0, 0], "after 250 ms, and once");
        drop(end);
        thread.join().expect("it ends");
        assert_eq!((0..8).map(|_| mine(watch.look(TICK), "CaseService/Stuck")).sum::<usize>(), 0);
    }

    #[test]
    fn work_that_is_polled_again_and_again_does_not_stand_still() {
        let mut watch = Watch::default();
        let mut busy = named("CaseService/Busy", std::future::pending::<()>());
        for _ in 0..8 {
            let polled = Pin::new(&mut busy).poll(&mut Context::from_waker(std::task::Waker::noop()));
            assert!(polled.is_pending());
            assert_eq!(mine(watch.look(TICK), "CaseService/Busy"), 0);
        }
    }

    #[test]
    fn what_is_done_aside_is_not_told_of() {
        let mut watch = Watch::default();
        let found = noted(Some("CaseService/Aside"), || {
            unwatched(|| (0..8).map(|_| mine(watch.look(TICK), "CaseService/Aside")).sum::<usize>())
        });
        assert_eq!(found, 0);
    }
}
