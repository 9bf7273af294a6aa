-- Room for the next versions of rows that change with every step, beside them (HOT).

ALTER TABLE plan SET (fillfactor = 60);
ALTER TABLE plan_step SET (fillfactor = 50);
