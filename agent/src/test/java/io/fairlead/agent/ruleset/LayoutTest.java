package io.fairlead.agent.ruleset;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class LayoutTest {
  /**
   * Whoever changes the fixed program sees here what the kernel is told; it was tried with real
   * packets.
   */
  @ParameterizedTest
  @EnumSource(Family.class)
  void theWholeProgramIsTheExpectedText(Family family) throws IOException {
    var layout = Layout.of(family);
    var text =
        CommandText.render(layout, layout.create())
            .lines()
            .map(line ->
                line.startsWith("add element")
                    ? line.replaceAll("(, )?1:[0-9a-f]+ : goto random_[0-9]+", "")
                    : line)
            // 64 chains that differ in a number only: two are enough to see
            .filter(line -> !line.matches(".* random_([3-9]|[1-6][0-9])( .*|$)"))
            .collect(Collectors.joining("\n", "", "\n"));
    assertThat(text).isEqualTo(resource("program-" + layout.nftFamily() + ".nft"));
  }

  @ParameterizedTest
  @MethodSource("programs")
  void aChainsNameSaysAllAboutItsProgram(Program program) {
    assertThat(Program.parse(program.chain())).contains(program);
  }

  @Test
  void namesThatOnlyBeginLikeOursAreNoPrograms() {
    for (var name :
        List.of(
            "random",
            "random_x",
            "random_03",
            "random_3_",
            "robin_tcp_3",
            "robin_icmp_3_1",
            "do_else",
            "sticky_tcp_3_1_1_1_z",
            "services",
            "")) {
      assertThat(Program.parse(name)).as(name).isEmpty();
    }
  }

  @Test
  void numbersOfProgramsDiffer() {
    assertThat(programs().stream().map(Program::number))
        .doesNotHaveDuplicates()
        .doesNotContain(0, -1);
  }

  @Test
  void everyRuleOfAProgramIsDistinguishable() {
    for (var program : programs()) {
      var rules = Layout.of(Family.IPV4).rules(program);
      assertThat(rules).isNotEmpty().allMatch(rule -> rule.fingerprint().matches("[0-9a-f]{8}"));
    }
    assertThat(Layout.of(Family.IPV4).format()).isNotEqualTo(Layout.of(Family.IPV6).format());
  }

  static List<Program> programs() {
    return List.of(
        new Program.Reject(),
        new Program.Drop(),
        new Program.Hash(),
        new Program.Random(1),
        new Program.Random(65_535),
        new Program.RoundRobin(3, Protocol.TCP, 1),
        new Program.RoundRobin(3, Protocol.SCTP, 65_535),
        new Program.Sticky(Choice.RANDOM, 2, 10_800, Protocol.UDP, 7, 2),
        new Program.Sticky(Choice.ROUND_ROBIN, 2, 86_400, Protocol.TCP, 8, 3),
        new Program.Sticky(Choice.HASH, Maglev.SIZE, 1, Protocol.TCP, 9, 4));
  }

  private static String resource(String name) throws IOException {
    try (var in = LayoutTest.class.getResourceAsStream(name)) {
      return in == null
          ? "no resource " + name
          : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
