package io.fairlead.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/**
 * Named checks of one process. Live = the process works at all (else: restart it); ready = it can
 * serve now (else: send nobody). Thread-safe; checks run on the thread that asks, must be quick and
 * must not block.
 */
public final class Health {
  /**
   * A condition.
   *
   * @param trouble empty = all is well, else what is wrong, in a few words
   */
  public record Check(String name, Supplier<Optional<String>> trouble) {}

  /**
   * What a check said.
   *
   * @param trouble empty = all is well
   */
  public record Result(String name, Optional<String> trouble) {}

  private final List<Check> live = new CopyOnWriteArrayList<>();
  private final List<Check> ready = new CopyOnWriteArrayList<>();
  private volatile boolean draining;

  public Health() {
    ready.add(
        new Check("serving", () -> draining ? Optional.of("shutting down") : Optional.empty()));
  }

  /** Adds a condition for being alive. */
  public void live(String name, Supplier<Optional<String>> trouble) {
    live.add(new Check(name, trouble));
  }

  /** Adds a condition for being ready. */
  public void ready(String name, Supplier<Optional<String>> trouble) {
    ready.add(new Check(name, trouble));
  }

  /**
   * A process that is being put together: not ready, whatever the checks say that it has so far.
   */
  public static final class Starting {
    private volatile Optional<String> trouble;

    private Starting(String waitsFor) {
      this.trouble = Optional.of("waiting for " + waitsFor);
    }

    /** All is there; from now on the checks count. */
    public void done() {
      trouble = Optional.empty();
    }
  }

  /** Not ready until it is done. To be called before anybody can ask. */
  public Starting starting(String waitsFor) {
    var starting = new Starting(waitsFor);
    ready("started", () -> starting.trouble);
    return starting;
  }

  /** From now on the process is not ready: it is about to end. */
  public void drain() {
    draining = true;
  }

  public List<Result> liveness() {
    return results(live);
  }

  public List<Result> readiness() {
    return results(ready);
  }

  public boolean isReady() {
    return readiness().stream().allMatch(r -> r.trouble().isEmpty());
  }

  private static List<Result> results(List<Check> checks) {
    var results = new ArrayList<Result>();
    for (var check : checks) {
      Optional<String> trouble;
      try {
        trouble = check.trouble().get();
      } catch (RuntimeException e) { // a check that fails says that something is wrong, too
        trouble = Optional.of("check failed: " + e);
      }
      results.add(new Result(check.name(), trouble));
    }
    return List.copyOf(results);
  }
}
