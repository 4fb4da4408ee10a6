package io.fairlead.decider;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.decider.ShopCommand.Reply;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A small allocator: enough to see what a decider does with decisions. */
final class ShopLogic implements PartitionLogic<ShopCommand, Reply> {
  private static final Address FIRST = Address.of("10.96.1.0");

  private final List<String> bootstrap;

  /**
   * Decides.
   *
   * @param bootstrap names of Services that must be there before anything is served
   */
  ShopLogic(List<String> bootstrap) {
    this.bootstrap = bootstrap;
  }

  @Override
  public Decision<Reply> decide(
      ClusterImage working, ShopCommand command, DecisionContext context) {
    return switch (command) {
      case ShopCommand.Create create -> create(working, create, context);
      case ShopCommand.Readdress readdress -> readdress(working, readdress);
      case ShopCommand.Bulky bulky -> bulky(working, bulky, context);
      case ShopCommand.Delete(var name) -> delete(working, name);
      case ShopCommand.Raise(int level) ->
          Decision.of(
              List.of(new Change.Put(new FeatureLevel(level, context.random().uuid()))),
              Reply.of("raised", "log"));
      case ShopCommand.Find(var name) -> Decision.answer(find(working, name));
      case ShopCommand.Explode() -> throw new IllegalStateException("a bug");
      case ShopCommand.Misplace(var name) ->
          Decision.of(
              List.of(new Change.Put(TestObjects.pod(name, "app", "node-a"))),
              Reply.of("misplaced", name));
    };
  }

  private static Reply find(ClusterImage working, String name) {
    return working
        .services()
        .get(TestObjects.name(name))
        .map(found ->
            new Reply(
                "found",
                name,
                found.object().spec().clusterIps().stream().findFirst(),
                found.isPending() ? 0 : found.offset()))
        .orElseGet(() -> Reply.of("not found", name));
  }

  private static Decision<Reply> create(
      ClusterImage working, ShopCommand.Create create, DecisionContext context) {
    var name = TestObjects.name(create.name());
    if (working.services().get(name).isPresent()) {
      return Decision.answer(Reply.of("name taken", create.name()));
    }
    // on purpose blind to who holds a static address in the image: only etcd refuses it
    Optional<Address> address =
        switch (create.vip()) {
          case ShopCommand.Vip.None() -> Optional.empty();
          case ShopCommand.Vip.Of(var wanted) -> Optional.of(wanted);
          case ShopCommand.Vip.Any() -> Optional.of(free(working, context));
        };
    if (address.filter(context.avoid()::contains).isPresent()) {
      return Decision.answer(new Reply("address taken", create.name(), address, 0));
    }
    var meta =
        new ObjectMeta(
            name.namespace(),
            name.name(),
            context.random().uuid(),
            new TreeMap<>(),
            new TreeMap<>(),
            context.now());
    var template = TestObjects.service(create.name(), "10.96.0.1").spec();
    var service = new Service(meta, spec(template, address));
    var claims = address.stream().map(a -> new Decision.Claim(a, service.uid(), name)).toList();
    return new Decision<>(
        List.of(new Change.Put(service)),
        claims,
        List.of(),
        new Reply("created", create.name(), address, 0));
  }

  private static Decision<Reply> readdress(ClusterImage working, ShopCommand.Readdress readdress) {
    var service = working.services().get(TestObjects.name(readdress.name())).orElseThrow().object();
    Optional<Address> address =
        readdress.vip() instanceof ShopCommand.Vip.Of(var wanted)
            ? Optional.of(wanted)
            : Optional.empty();
    var after = new Service(service.meta(), spec(service.spec(), address));
    return new Decision<>(
        List.of(new Change.Put(after)),
        claims(after),
        address.isPresent() ? List.of() : claims(service),
        new Reply("readdressed", readdress.name(), address, 0));
  }

  private static Decision<Reply> bulky(
      ClusterImage working, ShopCommand.Bulky bulky, DecisionContext context) {
    var decision = create(working, ShopCommand.any(bulky.name()), context);
    var service = (Service) ((Change.Put) decision.changes().getFirst()).object();
    var meta = service.meta();
    var annotations = new TreeMap<>(Map.of("bulk", "x".repeat(bulky.bytes())));
    var bigger =
        new Service(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                meta.labels(),
                annotations,
                meta.created()),
            service.spec());
    return new Decision<>(
        List.of(new Change.Put(bigger)), decision.claims(), decision.frees(), decision.reply());
  }

  private static List<Decision.Claim> claims(Service service) {
    return service.spec().clusterIps().stream()
        .map(a -> new Decision.Claim(a, service.uid(), service.name()))
        .toList();
  }

  private static ServiceSpec spec(ServiceSpec template, Optional<Address> address) {
    return new ServiceSpec(
        address.isPresent() ? ServiceSpec.Exposure.CLUSTER_IP : ServiceSpec.Exposure.HEADLESS,
        address.stream().toList(),
        List.of(Family.IPV4),
        template.ipFamilyPolicy(),
        new TreeMap<>(Map.of("app", "web")),
        template.ports(),
        template.clientIpAffinity(),
        template.internalTrafficPolicy(),
        template.trafficDistribution(),
        template.publishNotReadyAddresses(),
        template.externalName(),
        template.balancing());
  }

  private static Address free(ClusterImage working, DecisionContext context) {
    var start = FIRST.value().longValueExact();
    for (int i = 0; i < 1000; i++) {
      var candidate = Address.ofValue(Family.IPV4, BigInteger.valueOf(start + i));
      if (working.services().holder(candidate).isEmpty() && !context.avoid().contains(candidate)) {
        return candidate;
      }
    }
    throw new IllegalStateException("the tests use less than 1000 addresses");
  }

  private static Decision<Reply> delete(ClusterImage working, String name) {
    return working
        .services()
        .get(TestObjects.name(name))
        .map(found -> {
          var service = found.object();
          return new Decision<>(
              List.<Change>of(new Change.Remove(service.key(), service.uid())),
              List.of(),
              claims(service),
              Reply.of("deleted", name));
        })
        .orElseGet(() -> Decision.answer(Reply.of("not found", name)));
  }

  @Override
  public Reply recall(LogEntry first, Position position) {
    return switch (first.event()) {
      case LogEvent.Stored(var object, _) when object instanceof Service service ->
          new Reply(
              "created",
              service.name().name(),
              service.spec().clusterIps().stream().findFirst(),
              first.offset());
      case LogEvent.Deleted(var key, _, _) ->
          new Reply("deleted", key.name(), Optional.empty(), first.offset());
      case LogEvent.Stored _, LogEvent.Tombstone _ ->
          throw new IllegalStateException("not a reply's record: " + first);
    };
  }

  @Override
  public Reply complete(Reply reply, LogEntry first, Position position) {
    return new Reply(reply.what(), reply.name(), reply.address(), first.offset());
  }

  @Override
  public Optional<Decision<Reply>> bootstrap(
      ClusterImage image, LogPartition partition, DecisionContext context) {
    if (!partition.equals(LogPartition.SERVICES)) {
      return Optional.empty();
    }
    return bootstrap.stream()
        .filter(name -> image.services().get(new ObjectName("default", name)).isEmpty())
        .findFirst()
        .map(name -> create(image, ShopCommand.any(name), context));
  }
}
