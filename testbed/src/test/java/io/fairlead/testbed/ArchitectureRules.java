package io.fairlead.testbed;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.CompositeArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.time.Clock;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/**
 * What the modules may use of each other and of the libraries, as rules over class files. They take
 * the package that holds the modules, so that the same rules run over Fairlead and over samples
 * that break them.
 *
 * @param root package that holds one package for each module
 */
record ArchitectureRules(String root) {
  private static final List<String> SERVICES = List.of("allocator", "endpoints", "dns", "agent");

  /** Every module that is shipped. testbed and bench look at everything, from outside. */
  static final List<String> MODULES =
      List.of(
          "core",
          "api",
          "eventlog",
          "etcd",
          "runtime",
          "decider",
          "allocator",
          "endpoints",
          "dns",
          "agent",
          "cli",
          "devkit",
          "standalone");

  /**
   * Methods that read a clock, draw a random number or wait, by class; an empty set means every
   * constructor and method.
   */
  private static final Map<Class<?>, Set<String>> IMPURE =
      Map.of(
          System.class, Set.of("nanoTime", "currentTimeMillis"),
          Thread.class, Set.of("sleep"),
          LockSupport.class, Set.of("parkNanos", "parkUntil"),
          Clock.class,
              Set.of(
                  "system",
                  "systemUTC",
                  "systemDefaultZone",
                  "tickMillis",
                  "tickSeconds",
                  "tickMinutes"),
          Math.class, Set.of("random"),
          UUID.class, Set.of("randomUUID"),
          Random.class, Set.of(),
          ThreadLocalRandom.class, Set.of("current"),
          RandomGenerator.class, Set.of("getDefault", "of"),
          Date.class, Set.of());

  ArchRule coreUsesOnlyTheJdkAndPersistentCollections() {
    return classes()
        .that(resideInAPackage(root + ".core.."))
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage("java..", "org.jspecify..", "org.pcollections..", root + ".core.."))
        .because("core is the domain, pure");
  }

  ArchRule generatedTypesStayAtTheEdges() {
    return noClasses()
        .that(shipped())
        .and()
        .resideOutsideOfPackages(
            // generated types themselves
            root + "..v1..",
            // the edges: the log, gRPC, the streams to the nodes, files
            root + "..codec..",
            root + "..grpc..",
            root + "..stream..",
            root + "..client..",
            root + "..disk..",
            root + ".eventlog.file..",
            root + "..source..",
            root + ".api..",
            root + ".cli..")
        .should()
        .dependOnClassesThat(resideInAPackage(root + "..v1.."))
        .allowEmptyShould(true)
        .because("the wire format may change without the domain");
  }

  ArchRule onlyEventlogUsesKafkaClients() {
    return CompositeArchRule.of(
            noClasses()
                .that(shipped())
                .and()
                .resideOutsideOfPackages(root + ".eventlog..", root + ".devkit..")
                .should()
                .dependOnClassesThat(resideInAPackage("org.apache.kafka.clients.."))
                .allowEmptyShould(true))
        .and(
            noClasses()
                .that(shipped())
                .and()
                .resideOutsideOfPackages(root + ".eventlog..", root + ".devkit..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.apache.kafka..", "kafka.."))
                .allowEmptyShould(true))
        .because("the log is reached through eventlog; devkit starts the broker");
  }

  ArchRule onlyEtcdUsesJetcdAndNetty() {
    return noClasses()
        .that(shipped())
        .and()
        .resideOutsideOfPackage(root + ".etcd..")
        .should()
        .dependOnClassesThat(resideInAnyPackage("io.etcd..", "io.netty..", "io.vertx.."))
        .allowEmptyShould(true)
        .because(
            "etcd is reached through the etcd module; gRPC of Fairlead carries its own, shaded Netty");
  }

  ArchRule onlyAgentAndDevkitUseForeignMemory() {
    return noClasses()
        .that(shipped())
        .and()
        .resideOutsideOfPackages(root + ".agent..", root + ".devkit..")
        .should()
        .dependOnClassesThat(resideInAPackage("java.lang.foreign.."))
        .allowEmptyShould(true)
        .because("system calls stay where the kernel is the subject");
  }

  ArchRule servicesNeverMeet() {
    return CompositeArchRule.of(SERVICES.stream().map(this::meetsNoOther).toList())
        .because("services share only the log, etcd and the API");
  }

  private ArchRule meetsNoOther(String service) {
    var others =
        SERVICES.stream()
            .filter(other -> !other.equals(service))
            .map(other -> root + "." + other + "..");
    return noClasses()
        .that(resideInAPackage(root + "." + service + ".."))
        .should()
        .dependOnClassesThat(resideInAnyPackage(others.toArray(String[]::new)))
        .allowEmptyShould(true);
  }

  ArchRule coreAsksForTimeAndChanceOnlyInRun() {
    return noClasses()
        .that(resideInAPackage(root + ".core.."))
        .and()
        .resideOutsideOfPackage(root + ".core.run..")
        .should()
        .accessTargetWhere(impure())
        .because("the same log must give the same image, and tests move time by hand");
  }

  ArchRule modulesHaveNoPackageCycles() {
    return slices()
        .assignedFrom(packagesWithinModules())
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true);
  }

  private DescribedPredicate<JavaClass> shipped() {
    return resideInAnyPackage(
            MODULES.stream().map(module -> root + "." + module + "..").toArray(String[]::new))
        .as("shipped classes");
  }

  private static DescribedPredicate<JavaAccess<?>> impure() {
    return DescribedPredicate.describe(
        "reads a clock, draws a random number or waits", access -> isImpure(access.getTarget()));
  }

  private static boolean isImpure(AccessTarget target) {
    var owner = target.getOwner();
    // Instant.now(), LocalDate.now(zone)...: all of java.time; those that take a Clock are told
    // their time.
    if (owner.getPackageName().equals("java.time") && target.getName().equals("now")) {
      return !target.getFullName().contains("java.time.Clock");
    }
    return IMPURE.entrySet().stream()
        .filter(entry -> owner.isAssignableTo(entry.getKey()))
        .map(Map.Entry::getValue)
        .anyMatch(names -> names.isEmpty() || names.contains(target.getName()));
  }

  private SliceAssignment packagesWithinModules() {
    return new SliceAssignment() {
      @Override
      public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
        return shipped().test(javaClass)
            ? SliceIdentifier.of(javaClass.getPackageName())
            : SliceIdentifier.ignore();
      }

      @Override
      public String getDescription() {
        return "packages of shipped modules";
      }
    };
  }
}
