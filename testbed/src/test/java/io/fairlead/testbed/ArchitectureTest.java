package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs every rule over the classes of all modules, and over samples, one of which breaks it. */
@Timeout(120)
class ArchitectureTest {
  private static final ArchitectureRules FAIRLEAD = new ArchitectureRules("io.fairlead");
  private static final ArchitectureRules SAMPLES =
      new ArchitectureRules("io.fairlead.testbed.archsamples");

  private static final JavaClasses FAIRLEAD_CLASSES =
      new ClassFileImporter()
          .withImportOption(
              location -> !location.contains("/test-classes/") && !location.contains("-tests.jar"))
          .importPackages(FAIRLEAD.root());
  private static final JavaClasses SAMPLE_CLASSES =
      new ClassFileImporter().importPackages(SAMPLES.root());

  /**
   * A rule and what it finds in the samples.
   *
   * @param breakers simple names of the samples that break it; no other sample does
   */
  record Case(String name, Function<ArchitectureRules, ArchRule> rule, Set<String> breakers) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> rules() {
    return Stream.of(
        new Case(
            "core uses only the JDK and persistent collections",
            ArchitectureRules::coreUsesOnlyTheJdkAndPersistentCollections,
            Set.of("LogsInCore")),
        new Case(
            "generated types stay at the edges",
            ArchitectureRules::generatedTypesStayAtTheEdges,
            Set.of("DecidesOnMessages")),
        new Case(
            "only eventlog uses kafka-clients",
            ArchitectureRules::onlyEventlogUsesKafkaClients,
            Set.of("ReadsKafkaItself")),
        new Case(
            "only etcd uses jetcd and Netty",
            ArchitectureRules::onlyEtcdUsesJetcdAndNetty,
            Set.of("ReadsEtcdItself")),
        new Case(
            "only agent and devkit use foreign memory",
            ArchitectureRules::onlyAgentAndDevkitUseForeignMemory,
            Set.of("AllocatesItself")),
        new Case(
            "services never meet", ArchitectureRules::servicesNeverMeet, Set.of("KnowsEndpoints")),
        new Case(
            "core asks for time and chance only in run",
            ArchitectureRules::coreAsksForTimeAndChanceOnlyInRun,
            Set.of(
                "DrawsAnId",
                "ReadsTheClock",
                "ReadsTheMilliClock",
                "ReadsTheNanoClock",
                "RollsDice",
                "Sleeps")),
        new Case(
            "modules have no package cycles",
            ArchitectureRules::modulesHaveNoPackageCycles,
            Set.of("Hen", "Egg")));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void fairleadKeeps(Case rule) {
    rule.rule().apply(FAIRLEAD).check(FAIRLEAD_CLASSES);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void noticesTheSampleThatBreaks(Case rule) {
    var found = rule.rule().apply(SAMPLES).evaluate(SAMPLE_CLASSES).getFailureReport().getDetails();

    // Each line names first who does it, in angle brackets, then what is done to whom.
    var culprits =
        found.stream()
            .flatMap(String::lines)
            .map(line -> line.split(">", 2)[0])
            .filter(line -> line.contains("<"))
            .toList();
    assertThat(SAMPLE_CLASSES.stream().filter(sample -> isNamed(culprits, sample)))
        .as(String.join("\n", found))
        .extracting(JavaClass::getSimpleName)
        .containsExactlyInAnyOrderElementsOf(rule.breakers());
  }

  private static boolean isNamed(List<String> culprits, JavaClass sample) {
    return culprits.stream()
        .anyMatch(culprit ->
            culprit.endsWith("<" + sample.getName())
                || culprit.contains("<" + sample.getName() + "."));
  }

  @ParameterizedTest
  @MethodSource("modules")
  void looksAtEveryModule(String module) {
    var prefix = FAIRLEAD.root() + "." + module;

    assertThat(FAIRLEAD_CLASSES.stream().map(JavaClass::getPackageName))
        .anyMatch(name -> name.equals(prefix) || name.startsWith(prefix + "."));
  }

  static Stream<String> modules() {
    return ArchitectureRules.MODULES.stream();
  }

  @Test
  void leavesOutTests() {
    assertThat(FAIRLEAD_CLASSES.stream().map(JavaClass::getSimpleName))
        .noneMatch(name -> name.endsWith("Test"));
  }
}
