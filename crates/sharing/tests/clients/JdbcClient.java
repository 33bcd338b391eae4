import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;

/** What users of PostgreSQL's JDBC driver do. Connects to what libpq's variables name, under TLS with verify-full. */
public final class JdbcClient {
    public static void main(String[] arguments) throws SQLException {
        try (Connection connection = connect()) {
            looksAround(connection.getMetaData());
            for (int round = 0; round < 10; round++) {
                // From the fifth use on the driver prepares by name, and reads and writes in binary.
                asks(connection);
                asksWithLists(connection);
            }
            fetchesInParts(connection);
            goesOnAfterErrors(connection);
            cancels(connection);
        }
        System.out.println("all right");
    }

    private static Connection connect() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        properties.setProperty("sslmode", System.getenv("PGSSLMODE"));
        properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
        properties.setProperty("options", "-c yiwang.purpose=statistics");
        properties.setProperty("socketTimeout", "60");
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE");
        return DriverManager.getConnection(url, properties);
    }

    private static void looksAround(DatabaseMetaData about) throws SQLException {
        same(about.getDatabaseProductVersion(), "15.0");
        same(column(about.getSchemas(), "TABLE_SCHEM"), List.of("information_schema", "pg_catalog", "public"));
        same(column(about.getCatalogs(), "TABLE_CAT"), List.of("yiwang"));
        String[] tables = {"TABLE", "VIEW"};
        same(column(about.getTables(null, "public", "%", tables), "TABLE_NAME"), List.of("persons", "vehicles"));
        same(column(about.getTables(null, null, "pers%", tables), "TABLE_NAME"), List.of("persons"));
        same(column(about.getTables(null, "public", "secrets", null), "TABLE_NAME"), List.of());
        same(
            column(about.getColumns(null, "public", "persons", "%"), "COLUMN_NAME"),
            List.of("county", "town", "name", "citizen_id", "amount", "born"));
        same(column(about.getColumns(null, null, "persons", "%"), "TYPE_NAME"),
            List.of("text", "text", "text", "text", "int8", "date"));
        same(column(about.getColumns(null, null, "persons", "amount"), "DATA_TYPE"), List.of("" + Types.BIGINT));
        same(column(about.getColumns(null, null, "secrets", "%"), "COLUMN_NAME"), List.of());
        same(column(about.getColumns(null, null, "persons", "note"), "COLUMN_NAME"), List.of());
        same(column(about.getPrimaryKeys(null, "public", "persons"), "COLUMN_NAME"), List.of());
        same(column(about.getImportedKeys(null, "public", "persons"), "PKCOLUMN_NAME"), List.of());
        same(column(about.getIndexInfo(null, "public", "persons", false, true), "INDEX_NAME"), List.of());
        check(!column(about.getTypeInfo(), "TYPE_NAME").isEmpty(), "types are listed");
        check(!column(about.getTableTypes(), "TABLE_TYPE").isEmpty(), "sorts of table are listed");
    }

    private static void asks(Connection connection) throws SQLException {
        String sql = "SELECT county, amount, born FROM persons WHERE county = ? AND amount BETWEEN ? AND ? AND born > ?"
            + " ORDER BY amount";
        try (PreparedStatement asked = connection.prepareStatement(sql)) {
            asked.setString(1, "532901");
            asked.setLong(2, 10);
            asked.setInt(3, 40);
            asked.setDate(4, Date.valueOf("1950-01-01"));
            ResultSetMetaData columns = asked.getMetaData();
            same(columns.getColumnName(3), "born");
            same(columns.getColumnType(3), Types.DATE);
            try (ResultSet rows = asked.executeQuery()) {
                int count = 0;
                while (rows.next()) {
                    same(rows.getString(1), "532901");
                    check(rows.getLong("amount") >= 10 && rows.getInt("amount") <= 40, "within the bounds");
                    check(rows.getDate("born").after(Date.valueOf("1950-01-01")), "born later");
                    count++;
                }
                check(count > 0, "there are rows");
            }
        }
        same(number(connection, "SELECT count(*) FROM persons"), 7_500L);
    }

    private static void asksWithLists(Connection connection) throws SQLException {
        long oneByOne = 0;
        for (long amount : new long[] {1, 38, 75}) {
            oneByOne += number(connection, "SELECT count(*) FROM persons WHERE amount = " + amount);
        }
        check(oneByOne > 0, "there are rows");
        String any = "SELECT count(*) FROM persons WHERE amount = ANY(?)";
        same(numberOf(connection, any, "bigint", new Long[] {1L, 38L, 75L}), oneByOne);
        same(numberOf(connection, any, "int4", new Integer[] {1, 38, 75}), oneByOne);
        same(numberOf(connection, any, "bigint", new Long[] {}), 0L);
        String towns = "SELECT count(*) FROM vehicles WHERE town = ANY(?)";
        same(numberOf(connection, towns, "text", new String[] {"T-1", "T-2"}), 8L);
        same(numberOf(connection, towns, "varchar", new String[] {"T-1", null}), 4L);
        try (PreparedStatement asked = connection.prepareStatement(any)) {
            asked.setObject(1, new long[] {1, 38, 75});
            same(number(asked), oneByOne);
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT ARRAY['a', NULL], ARRAY[1, 2]")) {
            rows.next();
            same(List.of((Object[]) rows.getArray(2).getArray()), List.of(1L, 2L));
            same(((Object[]) rows.getArray(1).getArray()).length, 2);
        }
    }

    private static void fetchesInParts(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        String sql = "SELECT plate FROM vehicles WHERE town <> ? ORDER BY plate";
        try (PreparedStatement asked = connection.prepareStatement(sql)) {
            asked.setString(1, "T-9");
            asked.setFetchSize(30);
            List<String> plates = column(asked.executeQuery(), "plate");
            same(plates.size(), 196);
            List<String> sorted = new ArrayList<>(plates);
            sorted.sort(null);
            same(plates, sorted);
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void goesOnAfterErrors(Connection connection) throws SQLException {
        fails(connection, "SELECT * FROM secrets", "42P01");
        fails(connection, "SELECT note FROM persons", "42703");
        fails(connection, "INSERT INTO vehicles VALUES ('x')", "42501");
        fails(connection, "SELECT CAST(name AS INT) FROM persons", "22000");
        same(number(connection, "SELECT 1"), 1L);
        connection.setAutoCommit(false);
        fails(connection, "SELECT * FROM secrets", "42P01");
        fails(connection, "SELECT 1", "25P02");
        connection.rollback();
        connection.setAutoCommit(true);
        same(number(connection, "SELECT 1"), 1L);
    }

    private static void cancels(Connection connection) throws SQLException {
        String slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
            + " SELECT max(i) FROM n";
        try (Statement statement = connection.createStatement()) {
            Timer timer = new Timer(true);
            timer.schedule(new TimerTask() {
                @Override
                public void run() {
                    try {
                        statement.cancel();
                    } catch (SQLException error) {
                        throw new IllegalStateException(error);
                    }
                }
            }, 500);
            statement.executeQuery(slow);
            throw new IllegalStateException("a long statement ended");
        } catch (SQLException error) {
            same(error.getSQLState(), "57014");
        }
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            statement.executeQuery(slow);
            throw new IllegalStateException("a long statement ended");
        } catch (SQLException error) {
            same(error.getSQLState(), "57014");
        }
        same(number(connection, "SELECT 1"), 1L);
    }

    private static void fails(Connection connection, String sql, String state) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException error) {
            same(error.getSQLState(), state);
            return;
        }
        throw new IllegalStateException(sql + " was answered");
    }

    private static long numberOf(Connection connection, String sql, String kind, Object[] list) throws SQLException {
        try (PreparedStatement asked = connection.prepareStatement(sql)) {
            asked.setArray(1, connection.createArrayOf(kind, list));
            return number(asked);
        }
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (PreparedStatement asked = connection.prepareStatement(sql)) {
            return number(asked);
        }
    }

    private static long number(PreparedStatement asked) throws SQLException {
        try (ResultSet rows = asked.executeQuery()) {
            check(rows.next(), "there is a row");
            return rows.getLong(1);
        }
    }

    private static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> cells = new ArrayList<>();
        try (rows) {
            while (rows.next()) {
                cells.add(rows.getString(name));
            }
        }
        return cells;
    }

    private static void same(Object found, Object wanted) {
        check(found.equals(wanted), found + " instead of " + wanted);
    }

    private static void check(boolean holds, String text) {
        if (!holds) {
            throw new IllegalStateException(text);
        }
    }

    private JdbcClient() {
    }
}
