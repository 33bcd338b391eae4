"""What users of psycopg 3 do. Connects as libpq reads the environment."""

import datetime
import decimal

import psycopg
from psycopg import sql


def fails(conn, statement, state, params=None):
    try:
        conn.execute(statement, params)
    except psycopg.Error as error:
        assert error.sqlstate == state, (statement, error.sqlstate, str(error))
        return str(error)
    raise AssertionError(f"{statement} was answered")


with psycopg.connect(autocommit=True, options="-c yiwang.purpose=statistics") as conn:
    assert conn.info.server_version == 150000
    assert conn.pgconn.ssl_in_use
    one = conn.execute("SELECT count(*) FROM persons").fetchone()
    assert one == (7500,), one

    # Values of every kind, in both formats.
    for binary in (False, True):
        cursor = conn.cursor(binary=binary)
        where = "WHERE county = %s AND amount BETWEEN %s AND %s"
        row = cursor.execute(f"SELECT count(*) FROM persons {where}", ("532901", 10, 20)).fetchone()
        assert row[0] > 0
        day = datetime.date(1954, 3, 5)
        rows = cursor.execute("SELECT town, amount, born FROM persons WHERE born = %s ORDER BY 2", (day,)).fetchall()
        assert rows and all(row[2] == day for row in rows)
        row = cursor.execute("SELECT count(*) FROM persons WHERE town = %s", (None,)).fetchone()
        assert row == (0,)
        # A number with a fraction is not cut.
        whole, half = (
            cursor.execute("SELECT count(*) FROM persons WHERE amount < %s", (value,)).fetchone()[0]
            for value in (2, 1.5)
        )
        assert whole == half, (whole, half)
        row = cursor.execute("SELECT count(*) FROM persons WHERE amount < %s", (decimal.Decimal("1.5"),)).fetchone()
        assert row[0] == half
        row = cursor.execute(
            "SELECT CAST(1.50 AS DECIMAL(10, 2)), true, 'x', CAST('2026-03-05 01:02:03' AS TIMESTAMP), "
            "2.5, NULL, ARRAY['a', NULL], -7, ARRAY[1, 2], CAST('12:30' AS TIME)"
        ).fetchone()
        assert row[0] == decimal.Decimal("1.50"), row
        assert row[1:3] == (True, "x")
        assert row[3] == datetime.datetime(2026, 3, 5, 1, 2, 3), row
        assert float(row[4]) == 2.5 and row[5] is None and row[6] == ["a", None] and row[7] == -7, row
        assert row[8] == [1, 2] and row[9] == datetime.time(12, 30), row
        # Lists, of numbers and of texts, with an empty item and without any.
        one_by_one = sum(
            cursor.execute("SELECT count(*) FROM persons WHERE amount = %s", (amount,)).fetchone()[0]
            for amount in (1, 38, 75)
        )
        row = cursor.execute("SELECT count(*) FROM persons WHERE amount = ANY(%s)", ([1, 38, 75],)).fetchone()
        assert row[0] == one_by_one > 0, row
        for towns, wanted in ((["T-1", "T-2"], 8), (["T-1", None], 4), ([], 0)):
            row = cursor.execute("SELECT count(*) FROM vehicles WHERE town = ANY(%s)", (towns,)).fetchone()
            assert row == (wanted,), (towns, row)
        row = cursor.execute("SELECT count(*) FROM vehicles WHERE town <> ALL(%s)", (["T-1", "T-2"],)).fetchone()
        assert row == (192,), row
        row = cursor.execute("SELECT count(*) FROM persons WHERE born = ANY(%s)", ([day],)).fetchone()
        assert row == (len(rows),), row
        # By the true value of a masked column.
        row = cursor.execute("SELECT citizen_id FROM persons WHERE citizen_id = %s", ("532901000004",)).fetchone()
        assert row == ("532901****04",), row

    # Prepared by name, and many times.
    for number in range(20):
        row = conn.execute("SELECT count(*) FROM persons WHERE amount = %s", (number,), prepare=True).fetchone()
        assert row[0] >= 0

    # Errors, and going on after them.
    assert "receipt r" in fails(conn, "SELECT CAST(name AS INT) FROM persons", "22000")
    fails(conn, "SELECT * FROM secrets", "42P01")
    fails(conn, "SELECT note FROM persons WHERE amount = %s", "42703", (1,))
    fails(conn, "SELECT count(*) FROM persons WHERE amount = %s", "22P02", ("many",))
    fails(conn, "INSERT INTO persons VALUES (%s)", "42501", ("x",))
    assert conn.execute("SELECT 1").fetchone() == (1,)
    conn.execute("SET yiwang.purpose = '防疫'")
    assert conn.execute("SHOW yiwang.purpose").fetchone() == ("防疫",)

    # Two hundred thousand rows, as they come.
    numbers = "SELECT a.plate, b.plate, a.town FROM vehicles a CROSS JOIN vehicles b CROSS JOIN (VALUES (1),(2),(3),(4),(5)) AS c(n)"
    seen = sum(1 for _ in conn.cursor().stream(numbers))
    assert seen == 200_000, seen

    # Copies.
    with conn.cursor().copy("COPY (SELECT plate, owner FROM vehicles ORDER BY plate) TO STDOUT") as copy:
        lines = b"".join(copy).decode().splitlines()
    assert len(lines) == 200 and lines[0].startswith("云L00000"), lines[:2]
    with conn.cursor().copy(sql.SQL("COPY {} TO STDOUT (FORMAT csv)").format(sql.Identifier("vehicles"))) as copy:
        assert b"".join(copy).count(b"\n") == 200

    # Row by row: one message each.
    with conn.cursor().copy("COPY (SELECT plate, NULL, owner FROM vehicles ORDER BY plate) TO STDOUT") as copy:
        copied = list(copy.rows())
    assert len(copied) == 200 and copied[0][0] == "云L00000" and copied[0][1] is None, copied[:2]
    with conn.cursor().copy("COPY (SELECT plate, amount FROM vehicles, persons LIMIT 3) TO STDOUT") as copy:
        copy.set_types(["text", "int8"])
        assert isinstance(copy.read_row()[1], int) and copy.read_row() and copy.read_row() and not copy.read_row()

    # Several at once.
    with conn.pipeline():
        cursors = [conn.execute("SELECT count(*) FROM vehicles WHERE town = %s", (f"T-{n}",)) for n in range(5)]
    assert [cursor.fetchone()[0] for cursor in cursors] == [4, 4, 4, 4, 4]

with psycopg.connect() as conn:
    # Server-side cursors live in a transaction.
    with conn.cursor("rows of vehicles") as cursor:
        cursor.itersize = 30
        cursor.execute("SELECT plate FROM vehicles WHERE town <> %s ORDER BY plate", ("T-9",))
        plates = [row[0] for row in cursor]
    assert len(plates) == 196 and plates == sorted(plates), len(plates)
    conn.commit()
    # A transaction that failed answers nothing until it ends.
    fails(conn, "SELECT * FROM secrets", "42P01")
    fails(conn, "SELECT 1", "25P02")
    conn.rollback()
    assert conn.execute("SELECT 1").fetchone() == (1,)
    with conn.transaction():
        try:
            with conn.transaction():
                conn.execute("SELECT * FROM secrets")
        except psycopg.errors.UndefinedTable:
            pass
        assert conn.execute("SELECT 2").fetchone() == (2,)

print("all right")
