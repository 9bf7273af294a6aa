import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import google.type.MoneyOuterClass.Money;
import java.io.File;
import java.nio.file.Files;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import redress.resolution.v1.TaskOuterClass.Task;

/**
 * Tests of the worker: its books, and all of it against {@code redress conformance worker}.
 *
 * <p>REDRESS names the program, WORKER what starts the worker.
 */
public class WorkerTest {
    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();
    private String file;
    private Books books;

    @Before
    public void open() {
        file = new File(folder.getRoot(), "books.sqlite").getPath();
        books = new Books(file);
    }

    private static List<String> paid(String file) throws Exception {
        try (var books = DriverManager.getConnection("jdbc:sqlite:" + file);
                var rows = books.createStatement().executeQuery("SELECT task FROM payment ORDER BY number")) {
            var paid = new ArrayList<String>();
            while (rows.next()) paid.add(rows.getString(1));
            return paid;
        }
    }

    private static Task task(String id) {
        var amount = Money.newBuilder().setCurrencyCode("EUR").setUnits(39);
        return Task.newBuilder().setTaskId(id).setAmount(amount).build();
    }

    @Test
    public void aTaskIsPaidOnceHoweverOftenItComes() throws Exception {
        var first = books.pay(task("a"), false);
        assertEquals(first, new Books(file).pay(task("a"), false));
        assertNotEquals(first, books.pay(task("b"), false));
        assertEquals(List.of("a", "b"), paid(file));
    }

    @Test
    public void tasksThatComeToEightThreadsAtOnceArePaidOnceEach() throws Exception {
        var tasks = IntStream.range(0, 25).mapToObj(number -> "task-" + number).toList();
        Callable<List<String>> pay = () -> {
            var own = new Books(file);
            var references = new ArrayList<String>();
            for (var task : tasks) references.add(own.pay(task(task), false).orElseThrow());
            return references;
        };
        var threads = Executors.newFixedThreadPool(8);
        var answers = new HashSet<List<String>>();
        for (var references : threads.invokeAll(Collections.nCopies(8, pay))) answers.add(references.get());
        threads.shutdown();
        assertEquals("all threads have the same references", 1, answers.size());
        assertEquals(tasks, paid(file));
    }

    @Test
    public void aTaskThatIsBeingPaidElsewhereIsAwaitedAndNotPaid() throws Exception {
        try (var sqlite = DriverManager.getConnection("jdbc:sqlite:" + file); var elsewhere = sqlite.createStatement()) {
            elsewhere.execute("BEGIN IMMEDIATE");
            elsewhere.execute("INSERT INTO redress_task VALUES ('a', 'PAY-7')");
            var thread = Executors.newSingleThreadExecutor();
            var here = thread.submit(() -> books.pay(task("a"), false));
            thread.shutdown();
            assertThrows(TimeoutException.class, () -> here.get(300, TimeUnit.MILLISECONDS));
            elsewhere.execute("COMMIT");
            assertEquals(Optional.of("PAY-7"), here.get());
        }
        assertEquals(List.of(), paid(file));
    }

    @Test
    public void aCancelledTaskIsNotPaidAndOneThatWasPaidSaysSo() throws Exception {
        assertEquals(Optional.empty(), books.pay(task("a"), true));
        assertEquals(List.of(), paid(file));
        var reference = books.pay(task("a"), false);
        assertTrue(reference.isPresent());
        assertEquals(reference, books.pay(task("a"), true));
    }

    @Test
    public void aPaymentThatCannotBeRecordedIsNotMade() throws Exception {
        try (var sqlite = DriverManager.getConnection("jdbc:sqlite:" + file); var statement = sqlite.createStatement()) {
            statement.execute("CREATE TRIGGER full BEFORE INSERT ON redress_task BEGIN SELECT RAISE(ABORT, 'full'); END");
        }
        assertThrows(SQLException.class, () -> books.pay(task("a"), false));
        assertEquals(List.of(), paid(file));
    }

    @Test
    public void theWorkerKeepsEveryRule() throws Exception {
        var effects = String.join(" ", System.getProperty("java.home") + "/bin/java",
            "-Djava.library.path=" + System.getProperty("java.library.path"),
            "-cp", System.getProperty("java.class.path"), WorkerTest.class.getName(), file);
        var command = List.of(System.getenv("REDRESS"), "conformance", "worker", "--address", "127.0.0.1:0",
            "--effects", effects, "--", System.getenv("WORKER"), file);
        var out = folder.newFile("out");
        var tried = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out).start();
        var ended = tried.waitFor(180, TimeUnit.SECONDS);
        if (!ended) tried.destroy();
        var said = Files.readString(out.toPath());
        assertTrue(said, ended);
        assertEquals(said, 0, tried.exitValue());
        assertTrue(said, said.contains("14 rules kept, 0 broken"));
    }

    /** Says which tasks were paid: the effects that the conformance runner looks at. */
    public static void main(String[] words) throws Exception {
        for (var task : paid(words[0])) System.out.println(task);
    }
}
