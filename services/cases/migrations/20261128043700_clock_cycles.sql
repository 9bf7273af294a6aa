-- A promise that was kept stays kept on record: the clock of a regime goes on in the
-- next cycle as another row.

COMMENT ON COLUMN clock.cycle IS 'The cycle it belongs to. A regulatory clock that was met goes on in the next cycle as a row of that cycle, with the same start.';
