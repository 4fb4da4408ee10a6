package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Service;
import io.fairlead.core.run.GatewayException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/** The API in memory: keeps Pods as it would, tells of changes, and may go away. Any thread. */
public final class FakePodApi implements PodApi {
  private final Map<UUID, KnownPod> pods = new LinkedHashMap<>();
  private final Map<UUID, PodReport> reports = new LinkedHashMap<>();
  private final List<LinkedBlockingQueue<Event>> watches = new ArrayList<>();
  private List<Service> services = List.of();
  private boolean away;
  private boolean servicesAway;
  private int broken;
  private int brokenDeletions;

  /** Counts the times that connections were lost. */
  private int cuts;

  @Override
  public void watch(Consumer<Event> events) {
    var queue = new LinkedBlockingQueue<Event>();
    int begun;
    synchronized (this) {
      begun = cuts;
      refuseWhenAway();
      pods.values().forEach(pod -> queue.add(new Present(pod)));
      queue.add(new Synced());
      watches.add(queue);
    }
    try {
      while (true) {
        var event = queue.poll(20, java.util.concurrent.TimeUnit.MILLISECONDS);
        if (event != null) {
          events.accept(event);
        }
        synchronized (this) {
          if (cuts != begun) {
            throw new GatewayException(GatewayException.Outcome.UNKNOWN, "connection lost");
          }
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new GatewayException(GatewayException.Outcome.UNKNOWN, "interrupted");
    }
  }

  @Override
  public synchronized Answer report(Pod pod, PodReport report) {
    refuseWhenAway();
    var before = pods.get(pod.uid());
    if (before == null) {
      return Answer.GONE;
    }
    var old = before.pod();
    var spec = old.spec();
    var after =
        new Pod(
            old.meta(),
            new Pod.Spec(
                Optional.of(report.node()),
                spec.hostNetwork(),
                spec.hostname(),
                spec.subdomain(),
                spec.containers(),
                spec.restartPolicy(),
                spec.terminationGrace()),
            new Pod.Status(
                report.phase(),
                report.address().map(Address::of).stream().toList(),
                report.reason(),
                old.status().deleting()),
            old.source());
    reports.put(pod.uid(), report);
    put(new KnownPod(after, report.containers()));
    return Answer.DONE;
  }

  @Override
  public synchronized Answer delete(Pod pod) {
    refuseWhenAway();
    if (brokenDeletions > 0) {
      brokenDeletions--;
      throw new IllegalStateException("nobody expected this");
    }
    return remove(pod.uid()) ? Answer.DONE : Answer.GONE;
  }

  @Override
  public synchronized List<Service> services(String namespace) {
    if (servicesAway) {
      throw new GatewayException(GatewayException.Outcome.KNOWN_FAILED, "nobody answers");
    }
    if (broken > 0) {
      broken--;
      throw new IllegalStateException("nobody expected this");
    }
    return services;
  }

  /** So many questions for the Services end as they never should. */
  public synchronized void breakServices(int times) {
    broken = times;
  }

  /** So many deletions by the runner end as they never should. */
  public synchronized void breakDeletions(int times) {
    brokenDeletions = times;
  }

  private void refuseWhenAway() {
    if (away) {
      throw new GatewayException(GatewayException.Outcome.KNOWN_FAILED, "nobody answers");
    }
  }

  private void put(KnownPod pod) {
    pods.put(pod.pod().uid(), pod);
    watches.forEach(watch -> watch.add(new Present(pod)));
  }

  /** As a user does. */
  public synchronized void apply(Pod pod) {
    put(new KnownPod(pod, List.of()));
  }

  /** Asks for a deletion, by then. */
  public synchronized void deleteBy(UUID uid, Instant deadline) {
    var before = Objects.requireNonNull(pods.get(uid), "no such Pod");
    var pod = before.pod();
    var status = pod.status();
    put(
        new KnownPod(
            new Pod(
                pod.meta(),
                pod.spec(),
                new Pod.Status(
                    status.phase(), status.ips(), status.reason(), Optional.of(deadline)),
                pod.source()),
            before.told()));
  }

  /** Removes a record at once; whether there was one. */
  public synchronized boolean remove(UUID uid) {
    reports.remove(uid);
    var there = pods.remove(uid) != null;
    watches.forEach(watch -> watch.add(new Gone(uid)));
    return there;
  }

  /** From now on nobody answers, and what was connected is cut. */
  public synchronized void goAway() {
    away = true;
    servicesAway = true;
    cuts++;
    watches.clear();
  }

  public synchronized void comeBack() {
    away = false;
    servicesAway = false;
  }

  public synchronized void servicesGoAway() {
    servicesAway = true;
  }

  public synchronized void services(List<Service> all) {
    services = List.copyOf(all);
  }

  public synchronized Optional<PodReport> report(UUID uid) {
    return Optional.ofNullable(reports.get(uid));
  }

  public synchronized boolean has(UUID uid) {
    return pods.containsKey(uid);
  }
}
