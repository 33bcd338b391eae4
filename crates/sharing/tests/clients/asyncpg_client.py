"""What users of asyncpg do. Connects as libpq reads the environment."""

import asyncio
import datetime
import decimal

import asyncpg


async def fails(asked, state):
    try:
        await asked
    except asyncpg.PostgresError as error:
        assert error.sqlstate == state, (error.sqlstate, error)
        return
    raise AssertionError(f"answered, where {state} was due")


async def main():
    conn = await asyncpg.connect(server_settings={"yiwang.purpose": "statistics"}, timeout=30)
    assert conn.get_server_version()[:2] == (15, 0)
    assert conn._transport.get_extra_info("ssl_object") is not None
    assert await conn.fetchval("SELECT count(*) FROM persons") == 7_500
    rows = await conn.fetch("SELECT plate, town FROM vehicles ORDER BY plate LIMIT 2")
    assert [row["plate"] for row in rows] == ["云L00000", "云L00001"], rows

    # Values of every kind, which asyncpg sends and reads in binary.
    count = "SELECT count(*) FROM persons WHERE"
    assert await conn.fetchval(f"{count} county = $1 AND amount BETWEEN $2 AND $3", "532901", 10, 20) > 0
    day = datetime.date(1954, 3, 5)
    row = await conn.fetchrow("SELECT born, amount FROM persons WHERE born = $1 ORDER BY amount", day)
    assert row["born"] == day
    assert await conn.fetchval(f"{count} town = $1", None) == 0
    row = await conn.fetchrow(
        "SELECT CAST(1.50 AS DECIMAL(10, 2)), true, 'x', CAST('2026-03-05 01:02:03' AS TIMESTAMP), 2.5, NULL, -7, "
        "CAST('12:30' AS TIME), 3000000000"
    )
    assert row[0] == decimal.Decimal("1.50") and row[1] is True and row[2] == "x", row
    assert row[3] == datetime.datetime(2026, 3, 5, 1, 2, 3) and float(row[4]) == 2.5 and row[5] is None, row
    assert row[6] == -7 and row[7] == datetime.time(12, 30) and row[8] == 3_000_000_000, row

    # Lists: asyncpg looks their types up in the catalogue.
    row = await conn.fetchrow("SELECT ARRAY['a', NULL], ARRAY[1, 2], ARRAY[CAST('2026-03-05' AS DATE)], ARRAY[1.5]")
    assert row[0] == ["a", None] and row[1] == [1, 2] and row[2] == [datetime.date(2026, 3, 5)], row
    one_by_one = sum([await conn.fetchval(f"{count} amount = $1", amount) for amount in (1, 38, 75)])
    assert await conn.fetchval(f"{count} amount = ANY($1::bigint[])", [1, 38, 75]) == one_by_one > 0
    assert await conn.fetchval("SELECT count(*) FROM vehicles WHERE town = ANY($1::text[])", ["T-1", "T-2"]) == 8
    assert await conn.fetchval("SELECT count(*) FROM vehicles WHERE town = ANY($1)", ["T-1", None]) == 4
    assert await conn.fetchval("SELECT count(*) FROM vehicles WHERE town = ANY($1::text[])", []) == 0

    # Prepared, described and asked again and again.
    asked = await conn.prepare(f"{count} amount < $1 AND town = $2")
    assert [kind.name for kind in asked.get_parameters()] == ["int8", "text"], asked.get_parameters()
    assert [column.type.name for column in asked.get_attributes()] == ["int8"], asked.get_attributes()
    counts = [await asked.fetchval(most, "T-1") for most in range(0, 5_000, 500)]
    assert counts == sorted(counts) and counts[-1] > 0, counts
    assert (await conn.prepare("SELECT ARRAY['a'] AS items")).get_attributes()[0].type.name == "text[]"

    # More statements than the door keeps: asyncpg closes those that it has not used for long.
    for number in range(250):
        assert await conn.fetchval(f"SELECT {number}") == number

    # A cursor lives in a transaction: step by step, and row by row.
    async with conn.transaction():
        cursor = await conn.cursor("SELECT plate FROM vehicles WHERE town <> $1 ORDER BY plate", "T-9")
        assert len(await cursor.fetch(30)) == 30
        assert (await cursor.fetchrow())["plate"]
        plates = [row["plate"] async for row in conn.cursor("SELECT plate FROM vehicles ORDER BY plate", prefetch=7)]
        assert len(plates) == 200 and plates == sorted(plates)
    await fails(conn.execute("FETCH 1 FROM nowhere"), "34000")

    # Errors, and going on after them.
    await fails(conn.fetch("SELECT * FROM secrets"), "42P01")
    await fails(conn.fetch("SELECT note FROM persons WHERE amount = $1", 1), "42703")
    await fails(conn.execute("INSERT INTO vehicles VALUES ('x')"), "42501")
    await fails(conn.fetch("SELECT CAST(name AS INT) FROM persons"), "22000")
    async with conn.transaction():
        try:
            async with conn.transaction():
                await conn.fetch("SELECT * FROM secrets")
        except asyncpg.UndefinedTableError:
            pass
        assert await conn.fetchval("SELECT 2") == 2
    # Its own cancelling: a statement that takes too long for the client.
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
    try:
        await conn.fetch(slow, timeout=0.5)
        raise SystemExit("a long statement ended")
    except asyncio.TimeoutError:
        pass
    assert await conn.fetchval("SELECT 3") == 3

    # A codec of the client's own, for a type that it looks up by name.
    await conn.set_type_codec("date", schema="pg_catalog", encoder=str, decoder=lambda day: f"on {day}")
    assert await conn.fetchval("SELECT born FROM persons WHERE born = $1 LIMIT 1", "1954-03-05") == "on 1954-03-05"
    await conn.close()

    # What a pool does with a connection between two uses.
    async with asyncpg.create_pool(min_size=1, max_size=2) as pool:
        for _ in range(3):
            assert await pool.fetchval("SELECT count(*) FROM vehicles") == 200


asyncio.run(main())
print("all right")
