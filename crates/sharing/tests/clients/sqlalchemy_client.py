"""Reflection and queries with SQLAlchemy 2 over psycopg."""

from sqlalchemy import MetaData, Table, create_engine, func, inspect, select

engine = create_engine("postgresql+psycopg://")
inspector = inspect(engine)
assert inspector.get_schema_names() == ["information_schema", "public"], inspector.get_schema_names()
assert sorted(inspector.get_table_names()) == ["persons", "vehicles"], inspector.get_table_names()
assert inspector.get_view_names() == []
columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("persons")}
assert columns == {
    "county": "TEXT", "town": "TEXT", "name": "TEXT", "citizen_id": "TEXT", "amount": "BIGINT", "born": "DATE",
}, columns
assert inspector.has_table("persons") and not inspector.has_table("secrets")

metadata = MetaData()
metadata.reflect(engine)
assert sorted(metadata.tables) == ["persons", "vehicles"]
vehicles = Table("vehicles", MetaData(), autoload_with=engine)
persons = metadata.tables["persons"]
with engine.connect() as conn:
    by_town = select(vehicles.c.town, func.count()).group_by(vehicles.c.town).order_by(vehicles.c.town).limit(3)
    assert [tuple(row) for row in conn.execute(by_town)] == [("T-0", 4), ("T-1", 4), ("T-10", 3)]
    amount = select(func.sum(persons.c.amount)).where(persons.c.amount.in_([1, 38]), persons.c.county == "532901")
    assert conn.execute(amount).scalar() > 0
    joined = (
        select(persons.c.town, vehicles.c.plate)
        .join(vehicles, vehicles.c.town == persons.c.town)
        .where(persons.c.amount < 5)
        .order_by(vehicles.c.plate)
        .limit(2)
    )
    assert len(conn.execute(joined).all()) == 2
print("all right")
