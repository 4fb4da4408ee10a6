package io.fairlead.cli;

import io.fairlead.api.NamespaceCodec;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.Pod;
import io.fairlead.v1.WatchNamespacesRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Two watches as one: the namespaces of allocator-service, and the Pods of endpoints-service, whose
 * namespaces are there because of them. Each watch has a thread; what both tell goes to one reader,
 * which is told of everything once and then of what differs, whichever stream is opened again.
 */
final class NamespacesWatch {
  private final Session session;
  private final Resource.Query query;
  private final ObjectsReader<Namespace> reader;

  /** Whether one that only holds Pods, and so has no labels, is wanted. */
  private final boolean unlabelled;

  /** Guards what follows, and calls of the reader. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<String, Namespace> known = new HashMap<>();
  private final Map<String, Set<String>> pods = new HashMap<>();
  private final Map<String, Namespace> told = new HashMap<>();
  private boolean namespacesSynced;
  private boolean podsSynced;
  private boolean begun;

  /** Empty: the reader has enough. */
  private final CompletableFuture<Optional<RuntimeException>> end = new CompletableFuture<>();

  NamespacesWatch(
      Session session,
      Resource.Query query,
      LabelSelector selector,
      ObjectsReader<Namespace> reader) {
    this.session = session;
    this.query = query;
    this.reader = reader;
    this.unlabelled = selector.matches(Map.of());
    this.podsSynced = !unlabelled;
  }

  /** Until the reader has enough, a watch cannot go on, or this thread is interrupted. */
  void run() {
    reader.opened();
    var watches = new ArrayList<Thread>();
    watches.add(start("namespaces", this::namespaces));
    if (unlabelled) {
      watches.add(start("pods", this::pods));
    }
    try {
      end.get()
          .ifPresent(failure -> {
            throw failure;
          });
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // that is how it ends
    } catch (ExecutionException e) {
      throw new IllegalStateException("failures are values", e);
    } finally {
      watches.forEach(Thread::interrupt);
    }
  }

  private Thread start(String name, Runnable watch) {
    return Thread.ofVirtual()
        .name("watch-" + name)
        .start(() -> {
          try {
            watch.run();
            end.complete(Optional.empty());
          } catch (RuntimeException e) {
            end.complete(Optional.of(e));
          }
        });
  }

  private void namespaces() {
    var request =
        WatchNamespacesRequest.newBuilder()
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness())
            .build();
    var seen = new HashSet<String>();
    session.read(
        Session.Part.ALLOCATOR,
        NamespacesGrpc::newBlockingStub,
        stub -> stub.watch(request),
        seen::clear,
        event ->
            switch (event.getEventCase()) {
              case ADDED -> namespace(event.getAdded(), seen);
              case MODIFIED -> namespace(event.getModified(), seen);
              case DELETED ->
                  change(() -> known.remove(event.getDeleted().getMetadata().getName()));
              case SYNCED ->
                  change(() -> {
                    known.keySet().retainAll(seen); // what went while the stream was broken
                    namespacesSynced = true;
                  });
              case EVENT_NOT_SET -> Then.MORE; // a newer server tells more
            });
  }

  private Then namespace(Namespace namespace, Set<String> seen) {
    var name = namespace.getMetadata().getName();
    seen.add(name);
    return change(() -> known.put(name, namespace));
  }

  private void pods() {
    // of one namespace, or of all: as many as there may be, but only their names are kept
    var all = new Resource.Query(query.name().orElse(""), "", Optional.empty(), query.freshness());
    new PodResource().watch(session, all, new PodNames());
  }

  private final class PodNames implements ObjectsReader<Pod> {
    /** Told by this stream, until all was. */
    private Optional<Map<String, Set<String>>> seen = Optional.empty();

    @Override
    public void opened() {
      seen = Optional.of(new HashMap<>());
    }

    @Override
    public Then put(Pod pod) {
      seen.ifPresent(names -> add(names, pod));
      return change(() -> add(pods, pod));
    }

    private static void add(Map<String, Set<String>> names, Pod pod) {
      names
          .computeIfAbsent(pod.getMetadata().getNamespace(), _ -> new HashSet<>())
          .add(pod.getMetadata().getName());
    }

    @Override
    public Then gone(Pod pod) {
      return change(() -> {
        var names = pods.get(pod.getMetadata().getNamespace());
        if (names != null && names.remove(pod.getMetadata().getName()) && names.isEmpty()) {
          pods.remove(pod.getMetadata().getNamespace());
        }
      });
    }

    @Override
    public Then synced() {
      return change(() -> {
        pods.clear(); // what went while the stream was broken
        seen.ifPresent(pods::putAll);
        seen = Optional.empty();
        podsSynced = true;
      });
    }
  }

  /** Tells what a change makes different, once everything is known. */
  private Then change(Runnable change) {
    lock.lock();
    try {
      change.run();
      if (end.isDone()) {
        return Then.ENOUGH;
      }
      if (!namespacesSynced || !podsSynced || tell() == Then.MORE) {
        return Then.MORE;
      }
      end.complete(Optional.empty());
      return Then.ENOUGH;
    } finally {
      lock.unlock();
    }
  }

  private Then tell() {
    var now = new TreeMap<>(known);
    pods.keySet().forEach(name -> now.computeIfAbsent(name, NamespaceCodec::implied));
    var then = Then.MORE;
    for (var before : new TreeMap<>(told).values()) {
      if (!now.containsKey(before.getMetadata().getName())) {
        told.remove(before.getMetadata().getName());
        then = worse(then, reader.gone(before));
      }
    }
    for (var namespace : now.values()) {
      var before = told.put(namespace.getMetadata().getName(), namespace);
      if (!namespace.equals(before)) {
        then = worse(then, reader.put(namespace));
      }
    }
    if (!begun) {
      begun = true;
      then = worse(then, reader.synced());
    }
    return then;
  }

  private static Then worse(Then one, Then other) {
    return one == Then.ENOUGH ? one : other;
  }
}
