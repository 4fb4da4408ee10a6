package io.fairlead.agent.nft;

import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A kernel's memory of flows. Thread-safe. */
public final class FakeFlows implements FlowGateway {
  /** A flow; a client has as many as it has ports. */
  public record Flow(int clientPort, Frontend frontend, Target target) {}

  private final Set<Flow> flows = ConcurrentHashMap.newKeySet();
  private final AtomicInteger passes = new AtomicInteger();
  private final List<Integer> deleted = new CopyOnWriteArrayList<>();
  private final AtomicBoolean interrupted = new AtomicBoolean();
  private volatile Optional<String> failure = Optional.empty();
  private volatile Optional<Supplier<Found>> finding = Optional.empty();

  /** A client sent something. */
  public void sent(int clientPort, Frontend frontend, Target target) {
    flows.add(new Flow(clientPort, frontend, target));
  }

  public Set<Flow> flows() {
    return Set.copyOf(flows);
  }

  /** How many passes were begun. */
  public int passes() {
    return passes.get();
  }

  /** The next pass is told of no more than the first flow, as by a kernel whose table changed. */
  public void interrupt() {
    interrupted.set(true);
  }

  /** How many flows each pass that did not fail has ended. */
  public List<Integer> deleted() {
    return List.copyOf(deleted);
  }

  /** From now on passes fail with those words, or no more. */
  public void fail(Optional<String> words) {
    failure = words;
  }

  /** From now on that is what is found, or what is there again. */
  public void findsInstead(Optional<Supplier<Found>> what) {
    finding = what;
  }

  @Override
  public Cleaned clean(Map<Frontend, Set<Target>> serving) {
    passes.incrementAndGet();
    failure.ifPresent(words -> {
      throw new GatewayException(Outcome.UNKNOWN, words);
    });
    boolean whole = !interrupted.getAndSet(false);
    var told =
        flows.stream()
            .sorted(Comparator.comparingInt(Flow::clientPort))
            .limit(whole ? Long.MAX_VALUE : 1)
            .collect(java.util.stream.Collectors.toSet());
    int before = flows.size();
    flows.removeIf(flow ->
        told.contains(flow)
            && flow.frontend().protocol() != Protocol.SCTP
            && serving.containsKey(flow.frontend())
            && !serving.get(flow.frontend()).contains(flow.target()));
    deleted.add(before - flows.size());
    return new Cleaned(told.size(), before - flows.size(), whole, Duration.ZERO);
  }

  @Override
  public Found find(Query query) {
    failure.ifPresent(words -> {
      throw new GatewayException(Outcome.KNOWN_FAILED, words);
    });
    if (finding.isPresent()) {
      return finding.get().get();
    }
    var all =
        flows.stream()
            .filter(flow -> flow.frontend().vip().equals(query.vip()))
            .filter(flow -> query.port() == 0 || flow.frontend().port() == query.port())
            .filter(flow -> query.clientPort() == 0 || flow.clientPort() == query.clientPort())
            .sorted(Comparator.comparingInt(Flow::clientPort))
            .map(flow -> {
              var client = new Target(query.client(), flow.clientPort());
              return new FlowGateway.Flow(
                  flow.frontend(),
                  client,
                  flow.target(),
                  client,
                  "ESTABLISHED",
                  Duration.ofSeconds(100),
                  Optional.of(new Count(3, 300)),
                  Optional.empty(),
                  Optional.empty());
            })
            .toList();
    return new Found(
        all.subList(0, Math.min(query.most(), all.size())), all.size() > query.most(), all.size());
  }

  @Override
  public void close() {}
}
