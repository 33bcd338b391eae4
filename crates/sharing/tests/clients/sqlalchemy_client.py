"""What users of SQLAlchemy do: look at the tables, reflect them, and ask. Connects as libpq reads the environment."""

import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

engine = sa.create_engine("postgresql+psycopg://", connect_args={"options": "-c yiwang.purpose=statistics"})
assert engine.connect().connection.dbapi_connection.pgconn.ssl_in_use

looks = sa.inspect(engine)
assert looks.get_schema_names() == ["information_schema", "public"], looks.get_schema_names()
assert looks.default_schema_name == "public"
assert looks.get_table_names() == ["persons", "vehicles"], looks.get_table_names()
assert looks.get_table_names(schema="public") == ["persons", "vehicles"]
assert looks.get_view_names() == []
assert looks.get_materialized_view_names() == []
assert looks.get_temp_table_names() == []
assert looks.get_sequence_names() == []
assert looks.get_enums() == []
assert looks.has_table("persons") and not looks.has_table("secrets")
assert looks.has_schema("public") and not looks.has_schema("lake")

columns = {column["name"]: column for column in looks.get_columns("persons")}
assert list(columns) == ["county", "town", "name", "citizen_id", "amount", "born"], list(columns)
assert isinstance(columns["county"]["type"], sa.Text), columns["county"]
assert isinstance(columns["amount"]["type"], sa.BigInteger), columns["amount"]
assert isinstance(columns["born"]["type"], sa.Date), columns["born"]
assert all(column["default"] is None and column["nullable"] for column in columns.values())
assert looks.get_pk_constraint("persons")["constrained_columns"] == []
assert looks.get_foreign_keys("persons") == []
assert looks.get_indexes("persons") == []
assert looks.get_unique_constraints("persons") == []
assert looks.get_check_constraints("persons") == []
assert looks.get_table_comment("persons") == {"text": None}
assert looks.get_table_options("persons") == {}
try:
    looks.get_columns("secrets")
    raise SystemExit("the columns of a table that is not granted were shown")
except sa.exc.NoSuchTableError:
    pass

# All tables at once, and one by name.
known = sa.MetaData()
known.reflect(engine, views=True)
assert sorted(known.tables) == ["persons", "vehicles"], known.tables
assert "note" not in known.tables["persons"].c, "a hidden column was reflected"
persons = sa.Table("persons", sa.MetaData(), autoload_with=engine)
vehicles = sa.Table("vehicles", sa.MetaData(), autoload_with=engine, schema="public")
assert [column.name for column in vehicles.c] == ["plate", "town", "owner"]

with engine.connect() as conn:
    count = sa.select(sa.func.count()).select_from(persons)
    assert conn.scalar(count) == 7_500
    some = count.where(persons.c.county == "532901", persons.c.amount.between(10, 20))
    assert conn.scalar(some) > 0
    # Lists of values, as many parameters and as one.
    one_by_one = sum(conn.scalar(count.where(persons.c.amount == amount)) for amount in (1, 38, 75))
    assert conn.scalar(count.where(persons.c.amount.in_([1, 38, 75]))) == one_by_one > 0
    assert conn.scalar(count.where(persons.c.amount == sa.any_(sa.literal([1, 38, 75], sa.ARRAY(sa.BigInteger))))) == one_by_one
    assert conn.scalar(count.where(persons.c.town.in_([]))) == 0
    towns = sa.select(vehicles.c.town).where(vehicles.c.town.in_(["T-1", "T-2"])).distinct().order_by(vehicles.c.town)
    assert conn.scalars(towns).all() == ["T-1", "T-2"]
    born = sa.select(persons).where(persons.c.born == datetime.date(1954, 3, 5)).order_by(persons.c.amount).limit(3)
    rows = conn.execute(born).all()
    assert len(rows) == 3 and all(row.born == datetime.date(1954, 3, 5) for row in rows), rows
    joined = (
        sa.select(vehicles.c.town, sa.func.count(), sa.func.avg(persons.c.amount))
        .join(persons, persons.c.town == vehicles.c.town)
        .group_by(vehicles.c.town)
        .order_by(vehicles.c.town)
        .limit(2)
        .offset(1)
    )
    assert len(conn.execute(joined).all()) == 2
    # As they come, from a cursor at the server.
    streamed = conn.execution_options(yield_per=50).execute(sa.select(vehicles.c.plate).order_by(vehicles.c.plate))
    plates = [row.plate for row in streamed]
    assert len(plates) == 200 and plates == sorted(plates)

with Session(engine) as session:
    assert session.execute(sa.text("SELECT town FROM vehicles WHERE plate = :plate"), {"plate": "云L00000"}).one()
    try:
        session.execute(sa.insert(vehicles).values(plate="x"))
        raise SystemExit("something was written")
    except sa.exc.ProgrammingError as error:
        assert error.orig.sqlstate == "42501", error
    session.rollback()
    assert session.scalar(sa.select(sa.literal(1))) == 1

engine.dispose()
print("all right")
