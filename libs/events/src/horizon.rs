//! How far a feed may be read without skipping anything.
//!
//! Positions are handed out before their transactions commit: position 6 may be
//! visible while 5 is still on its way. A transaction holds a lock from before it
//! takes a position until it has ended: when nobody holds it, all are decided, and
//! what is visible up to the last one handed out before is all there will be.
//!
//! Where somebody always writes, the lock may never be seen without a holder. Then ids
//! tell: a transaction takes its id before it takes a position, so every position up
//! to the last one handed out belongs to a transaction with an id below one taken
//! afterwards (`bound`). Once the oldest running transaction (`xmin`) has reached
//! that, all of them have ended, and what is visible up to that position is all there
//! will be.

/// What `feed_sight()` saw, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Last position handed out.
    pub last: i64,
    /// Nobody held the lock after that: up to there, all is decided.
    pub quiet: bool,
    /// A transaction id taken after that; none if nothing new was handed out.
    pub bound: Option<i64>,
    /// No transaction with a lower id runs any more.
    pub xmin: i64,
}

/// Up to where every position is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    safe: i64,
    /// A position handed out, and the bound of who took it.
    waiting: Option<(i64, i64)>,
}

impl Horizon {
    /// Last position up to which nothing can appear any more.
    pub fn safe(&self) -> i64 {
        self.safe
    }

    /// Last position known to have been handed out.
    pub fn known(&self) -> i64 {
        self.waiting.map_or(self.safe, |(last, _)| last)
    }

    /// Whether positions were handed out whose transactions may still be running:
    /// look again soon.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a new sight into account.
    pub fn observe(&mut self, sight: Sight) {
        let Sight { last, quiet, bound, xmin } = sight;
        if quiet {
            self.safe = self.safe.max(last);
            self.waiting = None;
            return;
        }
        if let Some((last, bound)) = self.waiting
            && xmin >= bound
        {
            self.safe = last;
            self.waiting = None;
        }
        match bound {
            Some(bound) if xmin >= bound => {
                self.safe = last;
                self.waiting = None;
            }
            Some(bound) => {
                self.waiting.get_or_insert((last, bound));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A database in small: transactions take an id, then positions, then end.
    #[derive(Default)]
    struct Model {
        next_xid: i64,
        /// The highest id of a transaction that has ended; a snapshot knows of none
        /// beyond.
        ended: i64,
        last: i64,
        running: Vec<(i64, Vec<i64>)>,
    }

    impl Model {
        fn new() -> Self {
            Self { next_xid: 1, ..Self::default() }
        }

        fn take_xid(&mut self) -> i64 {
            self.next_xid += 1;
            self.next_xid - 1
        }

        fn end(&mut self, xid: i64) {
            self.ended = self.ended.max(xid);
        }

        /// As `feed_sight()` does it, with others at work between its steps.
        fn sight(&mut self, horizon: &Horizon, between: [(u8, usize); 2]) -> Sight {
            let (last, known) = (self.last, horizon.known());
            self.step(between[0]);
            // Tried, or the other way is taken, which must do by itself.
            let tried = last > horizon.safe() && !between[1].1.is_multiple_of(3);
            let quiet = tried && self.running.iter().all(|(_, positions)| positions.is_empty());
            if quiet {
                return Sight { last, quiet, bound: None, xmin: 0 };
            }
            let own = (last > known).then(|| self.take_xid());
            self.step(between[1]);
            let xmax = self.ended + 1;
            let running = self.running.iter().map(|(xid, _)| *xid).chain(own);
            let xmin = running.filter(|xid| *xid < xmax).min().unwrap_or(xmax);
            if let Some(own) = own {
                self.end(own);
            }
            Sight { last, quiet, bound: own, xmin }
        }

        fn step(&mut self, (op, pick): (u8, usize)) {
            match op {
                0 => {
                    let xid = self.take_xid();
                    self.running.push((xid, Vec::new()));
                }
                1 if !self.running.is_empty() => {
                    self.last += 1;
                    let at = pick % self.running.len();
                    self.running[at].1.push(self.last);
                }
                2 if !self.running.is_empty() => {
                    let (xid, _) = self.running.swap_remove(pick % self.running.len());
                    self.end(xid);
                }
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_below_the_horizon_is_undecided(ops in prop::collection::vec((0..4_u8, any::<usize>()), 1..200)) {
            let mut model = Model::new();
            let mut horizon = Horizon::default();
            for (op, pick) in ops {
                model.step((op, pick));
                if op == 3 {
                    let before = horizon.safe();
                    let between = [pick / 7, pick / 21].map(|pick| ([0, 1, 2][pick % 3], pick / 3));
                    let sight = model.sight(&horizon, between);
                    horizon.observe(sight);
                    prop_assert!(horizon.safe() >= before);
                }
                for (_, positions) in &model.running {
                    prop_assert!(positions.iter().all(|position| *position > horizon.safe()));
                }
            }
            while let Some((xid, _)) = model.running.pop() {
                model.end(xid);
            }
            // A first look for what it waits for, a second for what came meanwhile.
            for _ in 0..2 {
                let sight = model.sight(&horizon, [(3, 0); 2]);
                horizon.observe(sight);
            }
            prop_assert_eq!(horizon.safe(), model.last);
        }
    }

    #[test]
    fn a_transaction_beyond_the_latest_that_ended_is_waited_for() {
        let mut model = Model::new();
        let mut horizon = Horizon::default();
        // It runs alone, and nothing with a higher id has ended.
        model.step((0, 0));
        model.step((1, 0));
        let sight = model.sight(&horizon, [(3, 0); 2]);
        horizon.observe(sight);
        assert_eq!((horizon.safe(), horizon.is_waiting()), (0, true));
        model.step((2, 0));
        let sight = model.sight(&horizon, [(3, 0); 2]);
        horizon.observe(sight);
        assert_eq!((horizon.safe(), horizon.is_waiting()), (1, false));
    }
}
