import java.sql.Connection;
import java.sql.Date;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.TreeSet;

/** What users of JDBC do: address, user, secret, certificate. */
public class JdbcClient {
    static void check(boolean holds, Object what) {
        if (!holds) throw new AssertionError(String.valueOf(what));
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", arguments[1]);
        properties.setProperty("password", arguments[2]);
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", arguments[3]);
        properties.setProperty("options", "-c yiwang.purpose=statistics");
        try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
            check(connection.isValid(5), "valid");
            DatabaseMetaData metadata = connection.getMetaData();
            check(metadata.getDatabaseProductVersion().startsWith("15"), metadata.getDatabaseProductVersion());
            TreeSet<String> tables = new TreeSet<>();
            try (ResultSet rows = metadata.getTables(null, "public", "%", new String[] {"TABLE"})) {
                while (rows.next()) tables.add(rows.getString("TABLE_NAME"));
            }
            check(tables.toString().equals("[persons, vehicles]"), tables);
            StringBuilder columns = new StringBuilder();
            try (ResultSet rows = metadata.getColumns(null, "public", "persons", "%")) {
                while (rows.next()) columns.append(rows.getString("COLUMN_NAME")).append(' ').append(rows.getString("TYPE_NAME")).append(';');
            }
            check(columns.toString().equals("county text;town text;name text;citizen_id text;amount int8;born date;"), columns);
            // Ten times, so that the driver prepares it by name and asks for binary.
            try (PreparedStatement statement = connection.prepareStatement(
                    "SELECT count(*) FROM persons WHERE county = ? AND amount >= ? AND born > ?")) {
                for (int round = 0; round < 10; round++) {
                    statement.setString(1, "532901");
                    statement.setInt(2, 1);
                    statement.setDate(3, Date.valueOf("1960-01-01"));
                    try (ResultSet rows = statement.executeQuery()) {
                        check(rows.next() && rows.getLong(1) > 1000, round);
                    }
                }
            }
            try (PreparedStatement statement = connection.prepareStatement("SELECT plate FROM vehicles WHERE town = ANY (?)")) {
                statement.setArray(1, connection.createArrayOf("text", new String[] {"T-1", "T-2"}));
                int count = 0;
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) count++;
                }
                check(count == 8, count);
            }
            // Some rows at a time.
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(30);
                int count = 0;
                try (ResultSet rows = statement.executeQuery("SELECT plate, town FROM vehicles ORDER BY plate")) {
                    while (rows.next()) count++;
                }
                check(count == 200, count);
            }
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT * FROM secrets");
                throw new AssertionError("secrets were shown");
            } catch (SQLException error) {
                check(error.getSQLState().equals("42P01"), error.getSQLState());
            }
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                statement.executeQuery("SELECT count(*) FROM persons a, persons b, persons c");
                throw new AssertionError("the statement was not cancelled");
            } catch (SQLException error) {
                check(error.getSQLState().equals("57014"), error.getSQLState());
            }
            try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery("SELECT 1")) {
                check(rows.next() && rows.getInt(1) == 1, "goes on");
            }
        }
        System.out.println("all right");
    }
}
