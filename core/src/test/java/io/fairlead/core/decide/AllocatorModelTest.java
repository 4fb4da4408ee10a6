package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random sequences of commands, decided, against a model that keeps addresses in plain sets and
 * looks at each one by one. Ranges are small, overlap and come and go, names are few, so that all
 * there is meets. What fails is cut down to the steps that it takes, and printed with its seed.
 */
@Timeout(120)
class AllocatorModelTest {
  private static final int STEPS = 120;
  private static final Address V4 = Address.of("10.96.0.0");
  private static final Address V6 = Address.of("fd00::");

  /** One step; meaningful after whatever others. */
  private sealed interface Step {
    record Create(String name, Families families, OptionalInt fixed) implements Step {}

    record DryRun(String name) implements Step {}

    record Apply(String name) implements Step {}

    record MakeExternal(String name) implements Step {}

    record Delete(String name) implements Step {}

    record AddRange(String name, Family family, int base, int size) implements Step {}

    record RemoveRange(String name) implements Step {}

    record MinutePasses() implements Step {}
  }

  private enum Families {
    UNSAID,
    IPV4,
    IPV6,
    PREFER_DUAL
  }

  private static Address at(Family family, long offset) {
    var base = family == Family.IPV4 ? V4 : V6;
    return new Address(family, base.high(), base.low() + offset);
  }

  private static Step step(Random random) {
    var name = "s" + random.nextInt(14);
    var range = List.of("default", "a", "b", "z").get(random.nextInt(4));
    return switch (random.nextInt(20)) {
      case 0, 1, 2, 3, 4, 5 ->
          new Step.Create(name, Families.values()[random.nextInt(4)], OptionalInt.empty());
      case 6, 7, 8 ->
          new Step.Create(
              name,
              random.nextInt(4) == 0 ? Families.IPV6 : Families.UNSAID,
              OptionalInt.of(random.nextInt(70)));
      case 9, 10, 11, 12 -> new Step.Delete(name);
      case 13 -> new Step.MakeExternal(name);
      case 14 -> new Step.Apply(name);
      case 15 -> new Step.DryRun(name);
      case 16, 17 -> {
        int size = 4 << random.nextInt(4); // 4, 8, 16, 32: with and without a static band
        yield new Step.AddRange(
            range,
            random.nextInt(3) == 0 ? Family.IPV6 : Family.IPV4,
            random.nextInt(64 / size) * size,
            size);
      }
      case 18 -> new Step.RemoveRange(range);
      default -> new Step.MinutePasses();
    };
  }

  // --- the model

  private record Block(Family family, int base, int size) {
    /** All that can be given out. */
    Set<Address> usable() {
      return between(1, family == Family.IPV4 ? size - 2 : size - 1);
    }

    int staticSize() {
      return size <= 16 ? 0 : 16; // of the sizes that are here
    }

    Set<Address> dynamicBand() {
      return between(staticSize() + 1, family == Family.IPV4 ? size - 2 : size - 1);
    }

    Set<Address> staticBand() {
      return between(1, staticSize());
    }

    private Set<Address> between(int first, int last) {
      var all = new TreeSet<Address>();
      for (int i = first; i <= last; i++) {
        all.add(at(family, base + i));
      }
      return all;
    }
  }

  private static final class Model {
    final TreeMap<String, List<Address>> services = new TreeMap<>();
    final TreeMap<String, Block> ranges = new TreeMap<>();
    final Set<String> terminating = new HashSet<>();
    final SequencedSet<Address> fresh = new LinkedHashSet<>();

    Set<Address> used() {
      return services.values().stream()
          .flatMap(List::stream)
          .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Those new addresses come from, in their order. */
    List<Block> ready() {
      var ready = new ArrayList<Block>();
      if (ranges.containsKey("default") && !terminating.contains("default")) {
        ready.add(ranges.get("default"));
      }
      ranges.forEach((name, block) -> {
        if (!name.equals("default") && !terminating.contains(name)) {
          ready.add(block);
        }
      });
      return ready;
    }

    boolean has(Family family) {
      return ready().stream().anyMatch(block -> block.family() == family);
    }

    Family defaultFamily() {
      return ready().isEmpty() ? Family.IPV4 : ready().getFirst().family();
    }

    /** The control plane's, which exists as long as the range does. */
    Optional<Address> reserved() {
      return Optional.ofNullable(ranges.get("default")).map(b -> at(b.family(), b.base() + 1L));
    }

    /** Where a pick must be from; empty = the range is full. */
    Set<Address> picks(Family family) {
      var used = used();
      reserved().ifPresent(used::add);
      var blocks = ready().stream().filter(block -> block.family() == family).toList();
      var bands = new ArrayList<Set<Address>>();
      blocks.forEach(block -> bands.add(block.dynamicBand()));
      blocks.forEach(block -> bands.add(block.staticBand()));
      for (var band : bands) {
        band.removeAll(used);
        band.removeAll(fresh);
        if (!band.isEmpty()) {
          return band;
        }
      }
      return fresh.stream()
          .filter(a -> !used.contains(a))
          .filter(a -> blocks.stream().anyMatch(block -> block.usable().contains(a)))
          .findFirst()
          .map(Set::of)
          .orElse(Set.of());
    }

    Set<Address> holding(String name) {
      var held = used();
      held.retainAll(Objects.requireNonNull(ranges.get(name)).usable());
      ranges.forEach((other, block) -> {
        if (!other.equals(name) && !terminating.contains(other)) {
          held.removeAll(block.usable());
        }
      });
      return held;
    }

    void free(String name) {
      fresh.addAll(services.getOrDefault(name, List.of()));
    }

    void settle() {
      var gone = terminating.stream().filter(name -> holding(name).isEmpty()).toList();
      terminating.removeAll(gone);
      gone.forEach(ranges::remove);
    }
  }

  // --- both side by side

  private static final class Run {
    final DecidedServices decided = new DecidedServices();
    final Model model = new Model();

    void take(Step step) {
      switch (step) {
        case Step.Create create -> create(create);
        case Step.DryRun(var name) -> {
          var before = decided.image;
          var outcome = decided.decide(service(name).dryRun());
          assertThat(decided.image).isSameAs(before);
          boolean stored =
              !model.services.containsKey(name) && !model.picks(model.defaultFamily()).isEmpty();
          assertThat(outcome instanceof ServiceOutcome.Stored).isEqualTo(stored);
        }
        case Step.Apply(var name) -> apply(name);
        case Step.MakeExternal(var name) -> {
          decided.stored(service(name).externalName("example.org").apply());
          model.free(name);
          model.services.put(name, List.of());
          model.settle();
        }
        case Step.Delete(var name) -> {
          var outcome = decided.delete(name);
          assertThat(outcome instanceof ServiceOutcome.Deleted)
              .isEqualTo(model.services.containsKey(name));
          model.free(name);
          model.services.remove(name);
          model.settle();
        }
        case Step.AddRange add -> {
          int bits = Integer.numberOfTrailingZeros(add.size());
          var cidr = new Cidr(at(add.family(), add.base()), add.family().bits() - bits);
          var draft = DecidedServices.cidrDraft(add.name(), cidr.toString());
          var outcome = decided.decide(new ServiceCommand.CreateCidr(draft, DryRun.NO));
          boolean free = !model.ranges.containsKey(add.name());
          assertThat(outcome instanceof ServiceOutcome.CidrStored).isEqualTo(free);
          model.ranges.putIfAbsent(add.name(), new Block(add.family(), add.base(), add.size()));
          model.settle();
        }
        case Step.RemoveRange(var name) -> {
          var outcome = decided.deleteCidr(name);
          if (!model.ranges.containsKey(name)) {
            assertThat(outcome).isInstanceOf(ServiceOutcome.Refused.class);
          } else if (model.holding(name).isEmpty()) {
            assertThat(outcome).isInstanceOf(ServiceOutcome.CidrDeleted.class);
            model.ranges.remove(name);
          } else {
            assertThat(outcome).isInstanceOf(ServiceOutcome.CidrTerminating.class);
            model.terminating.add(name);
          }
        }
        case Step.MinutePasses() -> {
          decided.freshlyFreed.clear();
          model.fresh.clear();
        }
      }
      assertAgree();
    }

    private void create(Step.Create create) {
      if (create.fixed().isPresent()) {
        createAt(create.name(), create.families(), create.fixed().getAsInt());
        return;
      }
      var draft = service(create.name());
      var families = new ArrayList<Family>();
      switch (create.families()) {
        case UNSAID -> families.add(model.defaultFamily());
        case IPV4 -> {
          draft.families("IPv4");
          families.add(Family.IPV4);
        }
        case IPV6 -> {
          draft.families("IPv6");
          families.add(Family.IPV6);
        }
        case PREFER_DUAL -> {
          draft.policy("PreferDualStack");
          families.add(model.defaultFamily());
          if (model.has(Family.IPV4) && model.has(Family.IPV6)) {
            families.add(families.getFirst() == Family.IPV4 ? Family.IPV6 : Family.IPV4);
          }
        }
      }
      var outcome = decided.decide(draft.create());
      if (model.services.containsKey(create.name())) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.NameTaken.class);
      } else if (draft.draft().ipFamilies().size() == 1 && !model.has(families.getFirst())) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.Invalid.class);
      } else {
        picked(create.name(), families, outcome);
      }
    }

    private void apply(String name) {
      boolean hasAddress = !model.services.getOrDefault(name, List.of()).isEmpty();
      var outcome = decided.decide(service(name).apply());
      if (hasAddress) {
        assertThat(outcome)
            .isInstanceOfSatisfying(
                ServiceOutcome.Stored.class,
                stored -> assertThat(stored.result()).isEqualTo(Result.UNCHANGED));
      } else {
        picked(name, List.of(model.defaultFamily()), outcome);
      }
    }

    private void picked(String name, List<Family> families, ServiceOutcome outcome) {
      if (families.stream().anyMatch(family -> model.picks(family).isEmpty())) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.RangeFull.class);
        return;
      }
      var addresses = addresses(outcome);
      assertThat(addresses).extracting(Address::family).isEqualTo(families);
      for (var address : addresses) {
        assertThat(model.picks(address.family())).as("what may be picked").contains(address);
      }
      model.services.put(name, addresses);
    }

    private void createAt(String name, Families families, int offset) {
      var address = at(families == Families.IPV6 ? Family.IPV6 : Family.IPV4, offset);
      var outcome = decided.decide(service(name).clusterIp(address.toString()).create());
      boolean there = model.has(address.family());
      if (model.services.containsKey(name)) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.NameTaken.class);
      } else if (there
          && (model.used().contains(address)
              || model.reserved().filter(address::equals).isPresent())) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.AddressTaken.class);
      } else if (model.ready().stream().noneMatch(block -> block.usable().contains(address))) {
        assertThat(refusal(outcome)).isInstanceOf(Refusal.Invalid.class);
      } else {
        assertThat(addresses(outcome)).containsExactly(address);
        model.services.put(name, List.of(address));
      }
    }

    private static List<Address> addresses(ServiceOutcome outcome) {
      assertThat(outcome).isInstanceOf(ServiceOutcome.Stored.class);
      return ((ServiceOutcome.Stored) outcome).service().spec().clusterIps();
    }

    private static Refusal refusal(ServiceOutcome outcome) {
      assertThat(outcome).isInstanceOf(ServiceOutcome.Refused.class);
      return ((ServiceOutcome.Refused) outcome).refusal();
    }

    private void assertAgree() {
      var image = decided.image;
      var services = new TreeMap<String, List<Address>>();
      image.services().all().stream()
          .map(Versioned::object)
          .forEach(s -> services.put(s.name().name(), s.spec().clusterIps()));
      assertThat(services).isEqualTo(model.services);
      assertThat(image.services().conflicts()).isEmpty();
      assertThat(image.services().clusterIps()).containsExactlyElementsOf(model.used());
      var terminating = new HashSet<String>();
      var names = new TreeSet<String>();
      image.serviceCidrs().all().stream()
          .map(Versioned::object)
          .forEach(cidr -> {
            names.add(cidr.meta().name());
            if (cidr.terminating()) {
              terminating.add(cidr.meta().name());
            }
          });
      assertThat(names).isEqualTo(model.ranges.keySet());
      assertThat(terminating).isEqualTo(model.terminating);
      assertThat(model.used()).as("in a range").allMatch(image.serviceCidrs()::contains);
    }
  }

  // --- sequences

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void whateverTheSequenceOfCommandsDecisionsAreThoseOfAPlainModel(long seed) {
    var random = new Random(seed);
    var steps = new ArrayList<Step>();
    steps.add(new Step.AddRange("default", Family.IPV4, 0, 32));
    while (steps.size() < STEPS) {
      steps.add(step(random));
    }
    if (failure(steps).isEmpty()) {
      return;
    }
    var needed = cutDown(steps);
    throw new AssertionError(
        "seed %d; these %d of %d steps suffice:%n%s"
            .formatted(
                seed,
                needed.size(),
                STEPS,
                needed.stream().map(s -> "  " + s).collect(Collectors.joining("\n"))),
        failure(needed).orElseThrow());
  }

  private static Optional<Throwable> failure(List<Step> steps) {
    var run = new Run();
    try {
      steps.forEach(run::take);
      return Optional.empty();
    } catch (AssertionError | RuntimeException e) {
      return Optional.of(e);
    }
  }

  /** Without each step that the failure does not need. */
  private static List<Step> cutDown(List<Step> steps) {
    var needed = new ArrayList<>(steps);
    for (int i = needed.size() - 1; i >= 0; i--) {
      var without = new ArrayList<>(needed);
      without.remove(i);
      if (failure(without).isPresent()) {
        needed.remove(i);
      }
    }
    return needed;
  }
}
