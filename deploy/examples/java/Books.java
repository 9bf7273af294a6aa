import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import redress.resolution.v1.TaskOuterClass.Task;

/** Payments, and which task each was for: a SQLite file, by plain JDBC. */
record Books(String file) {
    Books {
        try (var books = open(file); var statement = books.createStatement()) {
            statement.execute("CREATE TABLE IF NOT EXISTS payment (number INTEGER PRIMARY KEY, task TEXT NOT NULL,"
                + " currency TEXT NOT NULL, units INTEGER NOT NULL, nanos INTEGER NOT NULL)");
            statement.execute("CREATE TABLE IF NOT EXISTS redress_task (task TEXT PRIMARY KEY, reference TEXT NOT NULL)");
            books.commit();
        } catch (SQLException error) {
            throw new IllegalStateException(file + ": " + error.getMessage(), error);
        }
    }

    /** Begins a transaction; closed without a commit, it never was. */
    private static Connection open(String file) throws SQLException {
        // Immediate: from here on nobody else pays, before it is known whether we do. Who finds another at it waits.
        var books = DriverManager.getConnection("jdbc:sqlite:" + file + "?transaction_mode=IMMEDIATE&busy_timeout=60000");
        books.setAutoCommit(false);
        return books;
    }

    /** Pays a task unless it was paid. Answers the reference; none if it was not to be paid any more. */
    Optional<String> pay(Task task, boolean cancelled) throws SQLException {
        try (var books = open(file);
                var paid = books.prepareStatement("SELECT reference FROM redress_task WHERE task = ?");
                var pay = books.prepareStatement("INSERT INTO payment (task, currency, units, nanos) VALUES (?, ?, ?, ?)");
                var record = books.prepareStatement("INSERT INTO redress_task VALUES (?, ?)")) {
            paid.setString(1, task.getTaskId());
            try (var before = paid.executeQuery()) {
                if (before.next()) return Optional.of(before.getString(1));
            }
            if (cancelled) return Optional.empty();
            pay.setString(1, task.getTaskId());
            pay.setString(2, task.getAmount().getCurrencyCode());
            pay.setLong(3, task.getAmount().getUnits());
            pay.setInt(4, task.getAmount().getNanos());
            pay.executeUpdate();
            String reference;
            try (var number = pay.getGeneratedKeys()) {
                reference = "PAY-" + number.getLong(1);
            }
            record.setString(1, task.getTaskId());
            record.setString(2, reference);
            record.executeUpdate();
            books.commit();
            return Optional.of(reference);
        }
    }
}
