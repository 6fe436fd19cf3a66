#!/usr/bin/env python3
"""Keeps what a vendor fetches in a table: a SQLite file, for everything that reads one.

The first time everything, then what is new or revised:

    wattseal vendor fetch 0x... --jsonl --out - | ./vendor.py usage.sqlite
    wattseal vendor fetch 0x... --jsonl --out - --since "$(./vendor.py usage.sqlite --cursor 0x...)" | ./vendor.py usage.sqlite

A day that comes again takes the place of what the table has of it. Rows and cursor are kept together or not at all.
With pandas: pandas.read_sql("select * from readings", sqlite3.connect("usage.sqlite")).
"""

import argparse
import json
import sqlite3
import sys

FIELDS = [
    "meter", "channel", "date", "start", "utc_offset", "wh",
    "quality", "estimated_intervals", "missing_intervals", "revision",
]

TABLES = f"""
create table if not exists readings ({", ".join(FIELDS)});
create index if not exists days on readings (meter, channel, date);
create table if not exists fetches (consent primary key, cursor, provenance, block);
"""


def take(table, lines):
    """Takes one export. Its summary is the last line: without it the export was cut off."""
    days, rows, summary = set(), [], None
    for line in lines:
        row = json.loads(line)
        if summary is not None:
            sys.exit("a line follows the summary: give one export at a time")
        if "summary" in row:
            summary = row["summary"]
            continue
        days.add((row["meter"], row["channel"], row["date"]))
        rows.append([row[field] for field in FIELDS])
    if summary is None:
        sys.exit("the export has no summary: it was cut off, and nothing of it is kept")
    roots = [root for stream in summary["streams"] for root in stream["roots"]]
    if not all(root["current"] for root in roots):
        print("warning: not under the newest root; fetch again", file=sys.stderr)
    fetch = [summary["consent"], summary["cursor"], summary["provenance"], max((root["block"] for root in roots), default=None)]
    with table:
        table.executemany("delete from readings where meter = ? and channel = ? and date = ?", sorted(days))
        table.executemany(f"insert into readings values ({', '.join('?' * len(FIELDS))})", rows)
        table.execute("insert or replace into fetches values (?, ?, ?, ?)", fetch)
    total = "select channel, count(distinct date), sum(wh) from readings where wh is not null group by channel"
    print(f"{len(days)} days taken, verified by: {summary['provenance']}")
    for channel, number, wh in table.execute(total):
        print(f"{channel}: {number} days, {wh / 1000:.3f} kWh")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="SQLite file; made if it is not there")
    parser.add_argument("--cursor", metavar="CONSENT", help="print where the last fetch under this consent left off")
    arguments = parser.parse_args()
    table = sqlite3.connect(arguments.table)
    table.executescript(TABLES)
    if arguments.cursor is None:
        return take(table, sys.stdin)
    cursor = table.execute("select cursor from fetches where consent = ?", [arguments.cursor]).fetchone()
    if cursor is None:
        sys.exit("nothing was fetched under this consent yet")
    print(cursor[0])


if __name__ == "__main__":
    main()
