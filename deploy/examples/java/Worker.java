import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import redress.resolution.v1.ResolutionServiceGrpc;
import redress.resolution.v1.ResolutionServiceGrpc.ResolutionServiceBlockingStub;
import redress.resolution.v1.Service.CompleteTaskRequest;
import redress.resolution.v1.Service.FailTaskRequest;
import redress.resolution.v1.Service.HeartbeatRequest;
import redress.resolution.v1.Service.PollTasksRequest;
import redress.resolution.v1.Service.RejectTaskRequest;
import redress.resolution.v1.TaskOuterClass.Lease;
import redress.resolution.v1.TaskOuterClass.TaskResult;

/**
 * A finance department's worker that knows nothing of Redress but its contracts: {@code Worker BOOKS [DEPARTMENT]}.
 *
 * <p>BOOKS is a SQLite file with the department's payments; REDRESS_SERVER says where the tasks are (127.0.0.1:50051),
 * REDRESS_TOKEN who asks. Each task is paid once, whatever is handed out twice, lost or killed: the payment and the
 * record that its task is done are written in one transaction, under the task's id.
 */
final class Worker {
    private static final int WAIT_SECONDS = 5;
    private static final int LEASE_SECONDS = 30;
    /** On top of a poll's wait, and for every other call. */
    private static final int CALL_SECONDS = 10;
    private static final int CONCURRENCY = 4;
    private static final long PAUSE_FIRST_MILLIS = 100;
    private static final long PAUSE_LONGEST_MILLIS = 2000;
    /** Nobody answered, or nobody could: the same again, in the same words. */
    private static final Set<Code> UNANSWERED = EnumSet.of(Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED,
        Code.RESOURCE_EXHAUSTED, Code.ABORTED, Code.CANCELLED, Code.UNKNOWN, Code.INTERNAL);

    private final ManagedChannel channel;
    private final ResolutionServiceBlockingStub service;
    private final String department;
    private final Books books;
    private final ScheduledExecutorService heart = Executors.newScheduledThreadPool(CONCURRENCY);

    Worker(String server, String department, Books books, Optional<String> token) {
        channel = ManagedChannelBuilder.forTarget(server).usePlaintext().keepAliveTime(20, TimeUnit.SECONDS).build();
        var metadata = new Metadata();
        token.ifPresent(words ->
            metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + words));
        service = ResolutionServiceGrpc.newBlockingStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
        this.department = department;
        this.books = books;
    }

    /** Polls, pays and reports, several tasks at a time, until one of the pollers ends: refused. */
    void run() throws InterruptedException, ExecutionException {
        var pollers = new ExecutorCompletionService<Void>(Executors.newFixedThreadPool(CONCURRENCY));
        for (int i = 0; i < CONCURRENCY; i++) pollers.submit(this::work);
        pollers.take().get();
    }

    private Void work() throws InterruptedException {
        while (true) {
            var poll = PollTasksRequest.newBuilder().setRequestId(UUID.randomUUID().toString())
                .setDepartmentId(department).setWorker("java-" + ProcessHandle.current().pid()).setMaxTasks(1)
                .setWaitDuration(seconds(WAIT_SECONDS)).setLeaseDuration(seconds(LEASE_SECONDS)).build();
            var polled = answered(WAIT_SECONDS + CALL_SECONDS, service -> service.pollTasks(poll));
            for (var lease : polled.getLeasesList()) carryOut(lease);
        }
    }

    /** Sends a request until it is answered: under one request_id, so that what it does is done once. */
    private <T> T answered(int seconds, Function<ResolutionServiceBlockingStub, T> call) throws InterruptedException {
        for (long pause = PAUSE_FIRST_MILLIS;; pause = Math.min(2 * pause, PAUSE_LONGEST_MILLIS)) {
            try {
                return call.apply(service.withDeadlineAfter(seconds, TimeUnit.SECONDS));
            } catch (StatusRuntimeException error) {
                if (!UNANSWERED.contains(error.getStatus().getCode())) throw error;
            }
            Thread.sleep(pause);
            // Its own pauses between connections grow to two minutes.
            channel.resetConnectBackoff();
        }
    }

    private void carryOut(Lease lease) throws InterruptedException {
        var cancelled = new AtomicBoolean(lease.getTask().getCancelRequested());
        var beating = heart.scheduleAtFixedRate(
            () -> beat(lease, cancelled), LEASE_SECONDS / 3, LEASE_SECONDS / 3, TimeUnit.SECONDS);
        try {
            report(lease, cancelled);
        } catch (StatusRuntimeException error) {
            // Answered, and refused: somebody else holds the task, or people must look.
            System.err.printf("task %s: %s%n", lease.getTask().getTaskId(), error.getMessage());
        } finally {
            beating.cancel(false);
        }
    }

    private void report(Lease lease, AtomicBoolean cancelled) throws InterruptedException {
        var task = lease.getTask();
        var request = UUID.randomUUID().toString();
        if (!task.hasAmount()) {
            var rejected = RejectTaskRequest.newBuilder().setRequestId(request).setTaskId(task.getTaskId())
                .setLeaseToken(lease.getLeaseToken()).setReason("finance pays sums only").build();
            answered(CALL_SECONDS, service -> service.rejectTask(rejected));
            return;
        }
        var failed = FailTaskRequest.newBuilder().setRequestId(request).setTaskId(task.getTaskId())
            .setLeaseToken(lease.getLeaseToken());
        try {
            var reference = books.pay(task, cancelled.get());
            if (reference.isPresent()) {
                var result = TaskResult.newBuilder().setReference(reference.get()).setAmount(task.getAmount());
                var completed = CompleteTaskRequest.newBuilder().setRequestId(request).setTaskId(task.getTaskId())
                    .setLeaseToken(lease.getLeaseToken()).setResult(result).build();
                answered(CALL_SECONDS, service -> service.completeTask(completed));
                return;
            }
            failed.setCode("CANCELLED").setMessage("stopped as asked");
        } catch (SQLException error) {
            // Nothing was written: it may be tried again.
            failed.setCode("BOOKS_UNAVAILABLE").setMessage(error.getMessage()).setRetryable(true);
        }
        answered(CALL_SECONDS, service -> service.failTask(failed.build()));
    }

    /** Holds the lease until the task has ended. */
    private void beat(Lease lease, AtomicBoolean cancelled) {
        var sign = HeartbeatRequest.newBuilder().setTaskId(lease.getTask().getTaskId())
            .setLeaseToken(lease.getLeaseToken()).setLeaseDuration(seconds(LEASE_SECONDS)).build();
        try {
            var heard = service.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).heartbeat(sign);
            if (heard.getCancelRequested()) cancelled.set(true);
        } catch (StatusRuntimeException error) {
            // Answered, and refused: it is somebody else's by now.
            if (!UNANSWERED.contains(error.getStatus().getCode())) cancelled.set(true);
        }
    }

    private static Duration seconds(int seconds) {
        return Duration.newBuilder().setSeconds(seconds).build();
    }

    public static void main(String[] words) throws InterruptedException {
        if (words.length < 1 || words.length > 2) {
            System.err.println("usage: Worker BOOKS [DEPARTMENT]");
            System.exit(2);
        }
        var server = Optional.ofNullable(System.getenv("REDRESS_SERVER")).orElse("127.0.0.1:50051");
        var worker = new Worker(server.replaceFirst("^http://", ""), words.length == 2 ? words[1] : "finance",
            new Books(words[0]), Optional.ofNullable(System.getenv("REDRESS_TOKEN")));
        try {
            worker.run();
        } catch (ExecutionException refused) {
            System.err.println("worker: " + refused.getCause().getMessage());
            System.exit(1);
        }
    }
}
