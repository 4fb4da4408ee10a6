package io.fairlead.cli;

import io.fairlead.api.NamespaceCodec;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.WatchNamespacesReply;
import io.fairlead.v1.WatchNamespacesRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Several watches as one: the namespaces of allocator-service, and the Pods and written
 * EndpointSlices of endpoints-service, whose namespaces are there because of them. Each watch has a
 * thread; what all tell goes to one reader, which is told of everything once and then of what
 * differs, whichever stream is opened again.
 */
final class NamespacesWatch {
  private final Session session;
  private final Resource.Query query;
  private final ObjectsReader<Namespace> reader;

  /** Whether one that was not made, and so has no labels, is wanted. */
  private final NamespaceResource.Implied implied;

  /** Guards what follows, and calls of the reader. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<String, Namespace> known = new HashMap<>();
  private final List<Holding<?>> holdings;
  private final Map<String, Namespace> told = new HashMap<>();
  private boolean namespacesSynced;
  private boolean begun;

  /** Empty: the reader has enough. */
  private final CompletableFuture<Optional<RuntimeException>> end = new CompletableFuture<>();

  NamespacesWatch(
      Session session,
      Resource.Query query,
      NamespaceResource.Implied implied,
      ObjectsReader<Namespace> reader) {
    this.session = session;
    this.query = query;
    this.reader = reader;
    this.implied = implied;
    this.holdings =
        implied.mayMatch()
            ? List.of(
                new Holding<>(new PodResource(), ""),
                new Holding<>(new EndpointSliceResource(), EndpointSliceResource.WRITTEN))
            : List.of();
  }

  /** Until the reader has enough, a watch cannot go on, or this thread is interrupted. */
  void run() {
    reader.opened();
    var watches = new ArrayList<Thread>();
    watches.add(start("namespaces", this::namespaces));
    holdings.forEach(holding -> watches.add(start(holding.resource.plural(), holding::run)));
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
            .setFieldSelector(query.fieldSelector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ALLOCATOR,
        NamespacesGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        NamespacesWatch::told,
        new Known());
  }

  private static Told<Namespace> told(WatchNamespacesReply reply) {
    return switch (reply.getEventCase()) {
      case ADDED -> new Told.There<>(reply.getAdded(), reply.getPosition());
      case MODIFIED -> new Told.There<>(reply.getModified(), reply.getPosition());
      case DELETED -> new Told.Gone<>(reply.getDeleted(), reply.getPosition());
      case SYNCED -> new Told.Synced<>(reply.getSynced());
      case BOOKMARK -> new Told.Bookmark<>(reply.getBookmark());
      case EVENT_NOT_SET -> new Told.Unknown<>();
    };
  }

  private final class Known implements ObjectsReader<Namespace> {
    /** Told by this stream, until all was. */
    private Optional<Set<String>> seen = Optional.empty();

    @Override
    public void opened() {
      seen = Optional.of(new HashSet<>());
    }

    @Override
    public Then put(Namespace namespace) {
      var name = namespace.getMetadata().getName();
      seen.ifPresent(names -> names.add(name));
      return change(() -> known.put(name, namespace));
    }

    @Override
    public Then gone(Namespace namespace) {
      return change(() -> known.remove(namespace.getMetadata().getName()));
    }

    @Override
    public Then synced() {
      return change(() -> {
        seen.ifPresent(known.keySet()::retainAll); // what went while the stream was broken
        seen = Optional.empty();
        namespacesSynced = true;
      });
    }
  }

  /** Objects of one kind, of which only the names are kept, by their namespaces. */
  private final class Holding<T> implements ObjectsReader<T> {
    private final Resource<T> resource;
    private final String selector;
    private final Map<String, Set<String>> held = new HashMap<>();
    private boolean synced;

    /** Told by this stream, until all was. */
    private Optional<Map<String, Set<String>>> seen = Optional.empty();

    Holding(Resource<T> resource, String selector) {
      this.resource = resource;
      this.selector = selector;
    }

    /** Of one namespace, or of all. */
    void run() {
      var all =
          new Resource.Query(
              query.name().orElse(""), selector, "", Optional.empty(), query.freshness());
      resource.watch(session, all, this);
    }

    @Override
    public void opened() {
      seen = Optional.of(new HashMap<>());
    }

    @Override
    public Then put(T object) {
      seen.ifPresent(names -> add(names, object));
      return change(() -> add(held, object));
    }

    private void add(Map<String, Set<String>> names, T object) {
      var meta = resource.meta(object);
      names.computeIfAbsent(meta.getNamespace(), _ -> new HashSet<>()).add(meta.getName());
    }

    @Override
    public Then gone(T object) {
      var meta = resource.meta(object);
      return change(() -> {
        var names = held.get(meta.getNamespace());
        if (names != null && names.remove(meta.getName()) && names.isEmpty()) {
          held.remove(meta.getNamespace());
        }
      });
    }

    @Override
    public Then synced() {
      return change(() -> {
        seen.ifPresent(names -> {
          held.clear(); // what went while the stream was broken
          held.putAll(names);
        });
        seen = Optional.empty();
        synced = true;
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
      boolean all = namespacesSynced && holdings.stream().allMatch(holding -> holding.synced);
      if (!all || tell() == Then.MORE) {
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
    for (var holding : holdings) {
      for (var name : holding.held.keySet()) {
        if (implied.matches(name)) {
          now.computeIfAbsent(name, NamespaceCodec::implied);
        }
      }
    }
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
