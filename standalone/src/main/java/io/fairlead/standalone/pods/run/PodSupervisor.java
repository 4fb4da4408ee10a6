package io.fairlead.standalone.pods.run;

import io.fairlead.core.decide.PodDraft;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.GatewayException;
import io.fairlead.devkit.fabric.FabricNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the API's Pods, places those that are to run here, and has each one's worker do it. One
 * thread "pods" owns what it knows; others only look. Soft: made anew from the API. While the
 * control plane is away, Pods go on as they are.
 */
public final class PodSupervisor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PodSupervisor.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

  /** For a Pod whose record is gone already: nobody waits for its farewell. */
  private static final Duration SHORT_GRACE = Duration.ofSeconds(2);

  private final Kit kit;
  private final ServiceVariables variables;
  private final Duration shutdownGrace;
  private final Map<UUID, KnownPod> known = new ConcurrentHashMap<>();
  private final Map<UUID, PodWorker> workers = new ConcurrentHashMap<>();

  /** Whose records are gone, while they still end. */
  private final Set<PodWorker> leaving = ConcurrentHashMap.newKeySet();

  /** Whose records are being deleted because their node is gone. */
  private final Set<UUID> dropping = ConcurrentHashMap.newKeySet();

  private final CountDownLatch synced = new CountDownLatch(1);
  private final Thread thread;
  private volatile boolean closing;

  /** Of the watch that runs: what it told before it was in step; empty afterwards. */
  private Optional<Map<UUID, KnownPod>> first = Optional.empty();

  /**
   * @param shutdownGrace what Pods get between SIGTERM and SIGKILL when this ends, at most
   */
  public PodSupervisor(Kit kit, Duration shutdownGrace) {
    this.kit = kit;
    this.variables = new ServiceVariables(kit.api());
    this.shutdownGrace = shutdownGrace;
    this.thread = Thread.ofVirtual().name("pods").unstarted(this::run);
  }

  public void start() {
    thread.start();
  }

  /** Whether all Pods that the API knew at the beginning have been told. */
  public boolean isSynced() {
    return synced.getCount() == 0;
  }

  private void run() {
    var pause = FIRST_PAUSE;
    while (!closing) {
      first = Optional.of(new HashMap<>());
      try {
        kit.api().watch(this::on);
      } catch (GatewayException e) {
        if (first.isEmpty()) {
          pause = FIRST_PAUSE; // it had worked
        }
        if (!closing) {
          LOG.atInfo()
              .addKeyValue("cause", e.getMessage())
              .addKeyValue("pause", pause)
              .log("Watch of Pods ended");
        }
      } catch (RuntimeException e) { // begun anew, or no Pod would ever be told again
        LOG.atError().setCause(e).addKeyValue("pause", pause).log("Cannot go on with the Pods");
      }
      try {
        kit.time().sleep(pause);
      } catch (InterruptedException _) {
        return;
      }
      pause = StatusReporter.longer(pause);
    }
  }

  private void on(PodApi.Event event) {
    switch (event) {
      case PodApi.Present(var pod) -> {
        if (first.isPresent()) {
          first.get().put(pod.pod().uid(), pod);
        } else {
          known.put(pod.pod().uid(), pod);
          handle(pod);
        }
      }
      case PodApi.Gone(var uid) -> {
        if (first.isPresent()) {
          first.get().remove(uid);
        } else {
          known.remove(uid);
          vanish(uid);
        }
      }
      case PodApi.Synced() -> first.ifPresent(this::begin);
    }
  }

  private void begin(Map<UUID, KnownPod> all) {
    first = Optional.empty();
    known.keySet().retainAll(all.keySet());
    known.putAll(all);
    for (var uid : new HashSet<>(workers.keySet())) {
      if (!all.containsKey(uid)) {
        vanish(uid);
      }
    }
    // those that have an address first: it must not be given to another one
    all.values().stream()
        .sorted(
            Comparator.<KnownPod, Boolean>comparing(k -> k.pod().status().ips().isEmpty())
                .thenComparing(k -> k.pod().name()))
        .forEach(this::handle);
    workers.values().forEach(PodWorker::tellAgain);
    if (!isSynced()) {
      forgetOthers();
      synced.countDown();
    }
  }

  /** Directories of Pods that were deleted while nobody was here. */
  private void forgetOthers() {
    try (var directories = Files.list(kit.directory())) {
      directories
          .filter(d -> known.keySet().stream().noneMatch(u -> d.endsWith(u.toString())))
          .forEach(Trees::delete);
    } catch (NoSuchFileException _) {
      // none yet
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("Cannot look for directories of Pods");
    }
  }

  private void vanish(UUID uid) {
    Optional.ofNullable(workers.remove(uid))
        .ifPresent(worker -> {
          leaving.removeIf(PodWorker::isDone);
          leaving.add(worker);
          worker.end(PodWorker.Ending.VANISHED, SHORT_GRACE);
        });
  }

  private void handle(KnownPod told) {
    var pod = told.pod();
    var worker = workers.get(pod.uid());
    if (worker == null) {
      if (!isMine(told)) {
        return;
      }
      var node = place(pod);
      if (node.isEmpty()) {
        if (pod.status().deleting().isPresent()) {
          drop(pod);
        }
        return;
      }
      worker = new PodWorker(told, node.get(), kit, variables);
      workers.put(pod.uid(), worker);
      worker.start();
    }
    if (pod.status().deleting().isPresent()) {
      var left = Duration.between(kit.time().now(), pod.status().deleting().get());
      worker.end(PodWorker.Ending.DELETION, left.isNegative() ? Duration.ZERO : left);
    }
  }

  /** Of a node that there is no more: nothing of it runs, and nobody else would delete it. */
  private void drop(Pod pod) {
    if (dropping.add(pod.uid())) {
      Thread.ofVirtual().name("drop-" + pod.name()).start(() -> deleteRecord(pod));
    }
  }

  private void deleteRecord(Pod pod) {
    var pause = FIRST_PAUSE;
    try {
      while (!closing) {
        try {
          var _ = kit.api().delete(pod);
          Trees.delete(kit.directoryOf(pod));
          return;
        } catch (RuntimeException e) {
          if (!(e instanceof GatewayException)) {
            LOG.atError()
                .setCause(e)
                .addKeyValue("object", "Pod/" + pod.name())
                .log("Cannot delete a Pod of a node that is gone");
          }
          kit.time().sleep(pause);
          pause = StatusReporter.longer(pause);
        }
      }
    } catch (InterruptedException _) {
      // the next one of these does it
    } finally {
      dropping.remove(pod.uid());
    }
  }

  /**
   * Whether it is run here: it comes from the API, and nobody else gave it an address. One that has
   * an address and containers of which something was told has them from here.
   */
  static boolean isMine(KnownPod told) {
    var pod = told.pod();
    return pod.source().equals(PodDraft.DEFAULT_SOURCE)
        && !pod.spec().hostNetwork()
        && (!told.told().isEmpty()
            || (pod.status().ips().isEmpty() && pod.status().phase() == Pod.Phase.PENDING));
  }

  /** The node it is bound to, else the one with the fewest Pods; empty where it is none of ours. */
  private Optional<FabricNode> place(Pod pod) {
    var nodes = kit.fabric().nodes();
    var bound = pod.spec().nodeName();
    if (bound.isPresent()) {
      return nodes.stream().filter(node -> node.name().equals(bound.get())).findFirst();
    }
    var counts = new HashMap<String, Integer>();
    known.values().stream()
        .filter(k -> !k.pod().uid().equals(pod.uid()))
        .filter(k -> !isOver(k.pod()))
        .flatMap(k -> nodeOf(k.pod()).stream())
        .forEach(name -> counts.merge(name, 1, Integer::sum));
    return nodes.stream().min(Comparator.comparingInt(n -> counts.getOrDefault(n.name(), 0)));
  }

  /** Also of a Pod that was placed a moment ago, which the API has not told yet. */
  private Optional<String> nodeOf(Pod pod) {
    return pod.spec()
        .nodeName()
        .or(() -> Optional.ofNullable(workers.get(pod.uid())).map(PodWorker::node));
  }

  private static boolean isOver(Pod pod) {
    return switch (pod.status().phase()) {
      case SUCCEEDED, FAILED -> true;
      case PENDING, RUNNING -> false;
    };
  }

  /** The Pod of that name that is run here; the newest where an older one is still ending. */
  public Optional<PodWorker> find(ObjectName name) {
    return workers.values().stream()
        .filter(worker -> worker.pod().name().equals(name))
        .max(Comparator.comparing(worker -> worker.pod().meta().created()));
  }

  /** Whether the API knows a Pod of that name, whoever runs it. */
  public boolean knows(ObjectName name) {
    return known.values().stream().anyMatch(k -> k.pod().name().equals(name));
  }

  /** The names of all Pods that are run here. */
  public List<ObjectName> pods() {
    return workers.values().stream().map(worker -> worker.pod().name()).sorted().toList();
  }

  /**
   * Ends all processes; the API's records stay. The API must be closed first, so that the watch
   * ends.
   */
  @Override
  public void close() {
    closing = true;
    thread.interrupt();
    workers.values().forEach(w -> w.end(PodWorker.Ending.SHUTDOWN, shutdownGrace));
    try {
      thread.join();
      var all = new ArrayList<>(workers.values());
      all.addAll(leaving);
      for (var worker : all) {
        if (!worker.join(shutdownGrace.plusSeconds(30))) {
          LOG.atWarn().addKeyValue("object", "Pod/" + worker.pod().name()).log("Pod did not end");
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
