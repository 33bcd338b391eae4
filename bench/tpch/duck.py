"""Answers queries with DuckDB over a copy that holds no more than the grants show.

Reads one JSON document from standard input: `tables` (name, files, copy), `folder` for the copy, `queries`, `rounds` and
`threads`. Prints one JSON document: the version, how long the copy took, and for each query its columns, rows and times.
"""

import json
import sys
import time

import duckdb


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def cell(value):
    if value is None:
        return None
    if isinstance(value, float):
        return repr(value)
    return str(value)


def main():
    asked = json.load(sys.stdin)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(asked['threads'])}")
    began = time.perf_counter()
    for table in asked["tables"]:
        files = "read_parquet([" + ", ".join(quoted(file) for file in table["files"]) + "])"
        copy = f"{asked['folder']}/{table['name']}.parquet"
        select = "SELECT " + table["copy"].replace("{files}", files)
        connection.execute(f"COPY ({select}) TO {quoted(copy)} (FORMAT parquet, COMPRESSION snappy)")
        connection.execute(f"CREATE VIEW {table['name']} AS SELECT * FROM read_parquet({quoted(copy)})")
    copied = time.perf_counter() - began
    answers = []
    for sql in asked["queries"]:
        times = []
        for _ in range(int(asked["rounds"])):
            began = time.perf_counter()
            result = connection.execute(sql)
            floats = [str(column[1]) in ("DOUBLE", "FLOAT") for column in result.description]
            rows = result.fetchall()
            times.append(time.perf_counter() - began)
        answers.append({"floats": floats, "rows": [[cell(one) for one in row] for row in rows], "seconds": times})
    json.dump({"version": duckdb.__version__, "copied": copied, "answers": answers}, sys.stdout)


main()
