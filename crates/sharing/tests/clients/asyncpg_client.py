"""asyncpg, which prepares everything and speaks binary alone."""

import asyncio
import datetime
import os
import ssl

import asyncpg


async def main():
    context = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    settings = {"application_name": "asyncpg client", "yiwang.purpose": "statistics"}
    connect = dict(
        host="localhost", port=int(os.environ["PGPORT"]), user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"], database="yiwang", ssl=context, server_settings=settings,
    )
    conn = await asyncpg.connect(**connect)
    assert await conn.fetchval("SELECT count(*) FROM persons") == 7500
    day = datetime.date(1954, 3, 5)
    rows = await conn.fetch("SELECT town, amount, born FROM persons WHERE born = $1 AND amount > $2", day, 10)
    assert rows and all(row["born"] == day for row in rows)
    assert await conn.fetchval("SELECT count(*) FROM vehicles WHERE town = ANY($1::text[])", ["T-1", "T-2"]) == 8
    assert await conn.fetchval("SHOW yiwang.purpose") == "statistics"
    prepared = await conn.prepare("SELECT plate, town FROM vehicles WHERE town = $1 ORDER BY plate")
    assert [parameter.name for parameter in prepared.get_parameters()] == ["text"]
    assert [attribute.name for attribute in prepared.get_attributes()] == ["plate", "town"]
    for number in range(5):
        assert len(await prepared.fetch(f"T-{number}")) == 4
    row = await conn.fetchrow("SELECT CAST(12.50 AS DECIMAL(10, 2)) AS a, ARRAY[1, 2] AS b, true AS c, 1.5::float8 AS d")
    assert str(row["a"]) == "12.50" and row["b"] == [1, 2] and row["c"] is True and row["d"] == 1.5, row
    for statement, error in [
        ("SELECT * FROM secrets", asyncpg.UndefinedTableError),
        ("SELECT 1 / (amount - amount) FROM persons", asyncpg.DataError),
        ("CREATE TABLE x (a INT)", asyncpg.InsufficientPrivilegeError),
    ]:
        try:
            await conn.fetch(statement)
            raise AssertionError(f"{statement} was answered")
        except error:
            pass
    async with conn.transaction():
        plates = [row["plate"] async for row in conn.cursor("SELECT plate FROM vehicles ORDER BY plate", prefetch=33)]
    assert len(plates) == 200
    try:
        await conn.fetch("SELECT count(*) FROM persons a, persons b, persons c", timeout=0.5)
        raise AssertionError("the statement was not cancelled")
    except asyncio.TimeoutError:
        pass
    assert await conn.fetchval("SELECT 1") == 1
    await conn.close()
    async with asyncpg.create_pool(min_size=2, max_size=4, **connect) as pool:
        counts = await asyncio.gather(*(pool.fetchval("SELECT count(*) FROM vehicles") for _ in range(6)))
        assert counts == [200] * 6, counts


asyncio.run(main())
print("all right")
