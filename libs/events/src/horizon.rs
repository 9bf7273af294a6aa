//! How far a feed may be read without skipping anything.
//!
//! Positions are handed out before their transactions commit: position 6 may be
//! visible while 5 is still on its way. A transaction takes its id before it takes
//! a position, so every position up to the last one handed out belongs to a
//! transaction with an id below the `xmax` of a snapshot taken afterwards. Once
//! the oldest running transaction (`xmin`) has reached that `xmax`, all of them
//! have ended, and what is visible up to that position is all there will be.

/// What `feed_horizon()` saw: the last position handed out, then a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Last position handed out before the snapshot.
    pub last: i64,
    /// Oldest transaction still running at the snapshot.
    pub xmin: i64,
    /// First transaction id not yet given at the snapshot.
    pub xmax: i64,
}

/// Up to where every position is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    safe: i64,
    waiting: Option<(i64, i64)>,
}

impl Horizon {
    /// Last position up to which nothing can appear any more.
    pub fn safe(&self) -> i64 {
        self.safe
    }

    /// Whether positions were handed out whose transactions may still be running:
    /// look again soon.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes a new sight into account.
    pub fn observe(&mut self, sight: Sight) {
        if let Some((last, xmax)) = self.waiting
            && sight.xmin >= xmax
        {
            self.safe = last;
            self.waiting = None;
        }
        if sight.xmin == sight.xmax {
            self.safe = sight.last;
            self.waiting = None;
        } else if self.waiting.is_none() && sight.last > self.safe {
            self.waiting = Some((sight.last, sight.xmax));
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
        last: i64,
        running: Vec<(i64, Vec<i64>)>,
    }

    impl Model {
        fn sight(&self) -> Sight {
            let xmin = self.running.iter().map(|(xid, _)| *xid).min().unwrap_or(self.next_xid);
            Sight { last: self.last, xmin, xmax: self.next_xid }
        }

        fn step(&mut self, op: u8, pick: usize) {
            match op {
                0 => {
                    self.running.push((self.next_xid, Vec::new()));
                    self.next_xid += 1;
                }
                1 if !self.running.is_empty() => {
                    self.last += 1;
                    let at = pick % self.running.len();
                    self.running[at].1.push(self.last);
                }
                2 if !self.running.is_empty() => {
                    self.running.swap_remove(pick % self.running.len());
                }
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_below_the_horizon_is_undecided(ops in prop::collection::vec((0..4_u8, any::<usize>()), 1..200)) {
            let mut model = Model::default();
            let mut horizon = Horizon::default();
            for (op, pick) in ops {
                model.step(op, pick);
                if op == 3 {
                    let before = horizon.safe();
                    // The last position is read first; others may begin in between.
                    let last = model.last;
                    model.step([0, 1, 2][pick % 3], pick / 3);
                    horizon.observe(Sight { last, ..model.sight() });
                    prop_assert!(horizon.safe() >= before);
                }
                for (_, positions) in &model.running {
                    prop_assert!(positions.iter().all(|position| *position > horizon.safe()));
                }
            }
            model.running.clear();
            horizon.observe(model.sight());
            prop_assert_eq!(horizon.safe(), model.last);
        }
    }
}
