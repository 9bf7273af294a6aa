#!/usr/bin/env bash
# pm4py 2.7.23 (PyPI, process mining): case numbers that read as dates are turned into
# times by format_dataframe.
#
# A good guess: the column that is named as the case id is an identifier and stays as it is.
# Seen: where every case number of the log reads as a date (2026-01-01, 2026-01-02), the
# numbers become "2026-01-01 00:00:00+00:00" and so on, and no longer match those of any other
# export. One number among them that is no date, and all stay as they are: the same case has
# one name in one month's log and another in the next one's.
#
# What it means here: complaints are often numbered by day. Give pm4py ids that cannot be
# read as a date.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pm4py==2.7.23
cat > "$folder/probe.py" <<'PYTHON'
import pandas
import pm4py


def cases(numbers):
    rows = [(number, "open", "2026-01-05T08:00:00Z") for number in numbers]
    log = pandas.DataFrame(rows, columns=["case", "activity", "time"])
    log["time"] = pandas.to_datetime(log["time"])
    log = pm4py.format_dataframe(log, case_id="case", activity_key="activity", timestamp_key="time")
    return list(log["case:concept:name"])


print("seen:", cases(["2026-01-01", "2026-01-02"]))
print("seen:", cases(["2026-01-01", "A-7"]))
PYTHON
seen=$("$folder/venv/bin/python" -W ignore "$folder/probe.py" 2>/dev/null | grep '^seen: ')
expected="seen: ['2026-01-01 00:00:00+00:00', '2026-01-02 00:00:00+00:00']
seen: ['2026-01-01', 'A-7']"
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
