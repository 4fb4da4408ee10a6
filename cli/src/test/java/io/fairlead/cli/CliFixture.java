package io.fairlead.cli;

import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.HostPort;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Runs commands in this process, with their own streams. Time is the machine's unless said
 * otherwise, but ages are told as of a fixed moment.
 */
final class CliFixture {
  private final List<HostPort> replicas;
  private final Supplier<Time> time;

  /** Without replicas, nothing is said of them. */
  CliFixture(HostPort... replicas) {
    this(List.of(replicas), FixedNow::new);
  }

  private CliFixture(List<HostPort> replicas, Supplier<Time> time) {
    this.replicas = replicas;
    this.time = time;
  }

  /**
   * The same, but for its commands no time passes except while they sleep, and that they do not
   * really: a wait comes to its end after as many looks on a slow machine as on a fast one.
   */
  CliFixture withoutSleep() {
    return new CliFixture(replicas, SleepsOnly::new);
  }

  /** What came of a command. */
  record Ran(int code, String out, String err) {}

  private static final class FixedNow implements Time {
    private final Time system = Time.system();

    @Override
    public Instant now() {
      return LocalControlPlane.NOW.plusSeconds(45);
    }

    @Override
    public long nanoTime() {
      return system.nanoTime();
    }

    @Override
    public void sleep(Duration duration) throws InterruptedException {
      system.sleep(duration);
    }
  }

  private static final class SleepsOnly implements Time {
    private final AtomicLong nanos = new AtomicLong();

    @Override
    public Instant now() {
      return LocalControlPlane.NOW.plusSeconds(45);
    }

    @Override
    public long nanoTime() {
      return nanos.get();
    }

    @Override
    public void sleep(Duration duration) {
      nanos.addAndGet(Math.max(0, duration.toNanos()));
    }
  }

  Ran run(String... args) {
    return runWith("", Map.of(), args);
  }

  /** A command that runs on. */
  final class Running {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final CompletableFuture<Ran> ran = new CompletableFuture<>();
    private final Thread thread;

    Running(Map<String, String> environment, String... args) {
      thread =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  ran.complete(CliFixture.this.run(out, "", environment, args));
                } catch (RuntimeException | Error e) {
                  ran.completeExceptionally(e);
                }
              });
    }

    /** What it printed so far. */
    String out() {
      return out.toString(StandardCharsets.UTF_8);
    }

    /** Ends it, as Ctrl-C does. */
    Ran interrupt() {
      thread.interrupt();
      return ran.orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Waits for its own end. */
    Ran join() {
      return ran.orTimeout(20, TimeUnit.SECONDS).join();
    }
  }

  Running start(String... args) {
    return startWith(Map.of(), args);
  }

  Running startWith(Map<String, String> environment, String... args) {
    return new Running(environment, args);
  }

  /** What a command prints that is no text. */
  byte[] bytes(String... args) {
    var out = new ByteArrayOutputStream();
    var _ = run(out, "", Map.of(), args);
    return out.toByteArray();
  }

  Ran runWith(String stdin, Map<String, String> environment, String... args) {
    return run(new ByteArrayOutputStream(), stdin, environment, args);
  }

  private Ran run(
      ByteArrayOutputStream out, String stdin, Map<String, String> environment, String... args) {
    var all = new ArrayList<>(List.of(args));
    var err = new ByteArrayOutputStream();
    var console =
        new Console(
            new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)),
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    var variables = new java.util.HashMap<String, String>();
    var addresses = String.join(",", replicas.stream().map(HostPort::toString).toList());
    if (!replicas.isEmpty()) {
      variables.put("FAIRLEAD_ALLOCATOR", addresses);
      variables.put("FAIRLEAD_ENDPOINTS", addresses);
    }
    variables.putAll(environment);
    var fairlead = new Fairlead(console, variables, time.get(), RandomSource.seeded(args.length));
    int code = fairlead.commandLine().execute(all.toArray(String[]::new));
    return new Ran(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
