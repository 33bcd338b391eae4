"""Runs statements (a JSON list, in the file that is named) one by one, and prints what somebody at the door notices.

Each is sent as text, and once more prepared: the two ways are two doors.
"""

import json
import re
import sys

import psycopg
from psycopg import pq

conn = psycopg.connect(autocommit=True)
wire = conn.pgconn


def noticed(result):
    if result.status == pq.ExecStatus.FATAL_ERROR:
        field = lambda code: (result.error_field(code) or b"").decode()
        detail = re.sub(r", receipt r\d+", "", field(pq.DiagnosticField.MESSAGE_DETAIL))
        state, message = field(pq.DiagnosticField.SQLSTATE), field(pq.DiagnosticField.MESSAGE_PRIMARY)
        return {"error": [state, detail, message]}
    if result.status == pq.ExecStatus.TUPLES_OK:
        cell = lambda row, column: result.get_value(row, column)
        text = lambda value: None if value is None else value.decode()
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        rows = [[text(cell(row, column)) for column in range(result.nfields)] for row in range(result.ntuples)]
        return {"columns": names, "rows": rows}
    return {"done": (result.command_status or b"").decode()}


def settle():
    """Ends what a statement may have left open: a transaction, a cursor, a setting."""
    global conn, wire
    if wire.status != pq.ConnStatus.OK:
        conn = psycopg.connect(autocommit=True)
        wire = conn.pgconn
    wire.exec_(b"ROLLBACK")
    wire.exec_(b"DISCARD ALL")


outcomes = []
for statement in json.load(open(sys.argv[1])):
    outcome = {}
    for way, ask in (("text", wire.exec_), ("prepared", lambda sql: wire.exec_params(sql, None))):
        if b"\0" in statement.encode():
            # Such a text ends at its zero byte for every client.
            outcome[way] = {"error": ["", "lake.plan", "zero byte"]}
            continue
        outcome[way] = noticed(ask(statement.encode()))
        settle()
        ask = wire.exec_
    outcomes.append(outcome)
json.dump(outcomes, sys.stdout)
