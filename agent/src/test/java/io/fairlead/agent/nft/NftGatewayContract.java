package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.AddTable;
import io.fairlead.agent.ruleset.Command.DeleteChain;
import io.fairlead.agent.ruleset.Command.DeleteElement;
import io.fairlead.agent.ruleset.Command.DeleteSet;
import io.fairlead.agent.ruleset.Command.DeleteTable;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.Command.FlushChain;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.Program;
import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.agent.ruleset.Rule;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the kernel and its fake have in common. */
abstract class NftGatewayContract {
  private static final Layout LAYOUT = Layout.of(Family.IPV4);
  private static final ElementKey ENDPOINT = new ElementKey("endpoints_tcp", "10.96.0.1 . 80 . 0");

  /** Without our tables. To be called on the thread of the test. */
  abstract NftGateway nft();

  @ParameterizedTest
  @EnumSource(Family.class)
  void readsBackWhatWasCreated(Family family) {
    var layout = Layout.of(family);
    assertThat(nft().read(layout)).isEmpty();
    nft().commit(layout, layout.create());
    var contents = nft().read(layout).orElseThrow();
    assertThat(contents.sets().keySet()).isEqualTo(layout.sets().keySet());
    layout
        .chains()
        .values()
        .forEach(
            c -> assertThat(contents.chains().get(c.name())).isEqualTo(fingerprints(c.rules())));
    layout
        .fixedPrograms()
        .forEach(p -> {
          assertThat(contents.chains().get(p.chain())).isEqualTo(fingerprints(layout.rules(p)));
          assertThat(contents.elements(Elements.PROGRAMS))
              .containsEntry(Elements.number(p.number()), Optional.of("goto " + p.chain()));
        });
  }

  @Test
  void creatingAgainChangesNoElement() {
    nft().commit(LAYOUT, LAYOUT.create());
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    nft()
        .commit(
            LAYOUT,
            List.of(new AddTable(), new Command.AddSet(LAYOUT.sets().firstEntry().getValue())));
    assertThat(contents().elements("endpoints_tcp"))
        .isEqualTo(Map.of(ENDPOINT.key(), Optional.of("10.244.0.1 . 8080")));
  }

  @Test
  void elementsOfEveryKindAreReadInTheSpellingInWhichTheyWereWritten() {
    for (var family : Family.values()) {
      var layout = Layout.of(family);
      nft().commit(layout, layout.create());
      var a = family == Family.IPV4 ? "10.96.0.1" : "fd00:96::1";
      var all = family == Family.IPV4 ? "0.0.0.0/0" : "::/0";
      var block = family == Family.IPV4 ? "10.96.0.0/16" : "fd00:96::/112";
      var single = family == Family.IPV4 ? "10.1.2.3/32" : "fd00::1:2/128";
      var elements = new ArrayList<AddElement>();
      for (var protocol : Protocol.values()) {
        elements.add(add(new ElementKey(Elements.services(protocol), a + " . 65535"), "2:ffff"));
        elements.add(
            add(new ElementKey(Elements.endpoints(protocol), a + " . 80 . 1020"), a + " . 1"));
        elements.add(add(new ElementKey(Elements.choices(protocol), a + " . 80 . 7"), "0:1f"));
        elements.add(
            add(new ElementKey(Elements.ids(protocol), a + " . 80 . ffff:fffe"), a + " . 443"));
      }
      elements.add(add(new ElementKey(Elements.VIPS, a)));
      elements.add(add(new ElementKey(Elements.HAIRPIN, a + " . " + a)));
      elements.add(add(new ElementKey(Elements.SERVICE_CIDRS, block)));
      elements.add(add(new ElementKey(Elements.SERVICE_CIDRS, single)));
      elements.add(add(new ElementKey(Elements.CLUSTER_CIDRS, all)));
      elements.add(add(new ElementKey(Elements.POSITION, "4294967295"), "4294967294"));
      nft().commit(layout, List.copyOf(elements));
      var contents = nft().read(layout).orElseThrow();
      for (var element : elements) {
        assertThat(contents.elements(element.element().set()))
            .containsEntry(element.element().key(), element.value());
      }
    }
  }

  @Test
  void anElementIsReplacedInOneTransaction() {
    nft().commit(LAYOUT, LAYOUT.create());
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    nft().commit(LAYOUT, List.of(new DeleteElement(ENDPOINT), add(ENDPOINT, "10.244.0.2 . 8080")));
    assertThat(contents().elements("endpoints_tcp"))
        .isEqualTo(Map.of(ENDPOINT.key(), Optional.of("10.244.0.2 . 8080")));
    // blocks that overlap the one they replace
    var wide = new ElementKey(Elements.SERVICE_CIDRS, "10.96.0.0/16");
    var narrow = new ElementKey(Elements.SERVICE_CIDRS, "10.96.0.0/17");
    nft().commit(LAYOUT, List.of(add(wide)));
    nft().commit(LAYOUT, List.of(new DeleteElement(wide), add(narrow)));
    assertThat(contents().elements(Elements.SERVICE_CIDRS)).containsOnlyKeys("10.96.0.0/17");
  }

  @Test
  void theSameElementAgainIsNoTrouble() {
    nft().commit(LAYOUT, LAYOUT.create());
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    assertThat(contents().elements("endpoints_tcp")).hasSize(1);
  }

  @Test
  void aTransactionHappensWholeOrNotAtAll() {
    nft().commit(LAYOUT, LAYOUT.create());
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    var before = contents();
    var vip = add(new ElementKey(Elements.VIPS, "10.96.0.1"));
    refused("exists", vip, add(ENDPOINT, "10.244.0.9 . 8080"));
    refused(
        "No such file",
        vip,
        new DeleteElement(new ElementKey("endpoints_tcp", "10.96.0.2 . 80 . 0")));
    refused("No such file", vip, new FlushChain("none"));
    refused("No such file", vip, new AddRule("none", new Rule("drop")));
    refused("No such file", vip, new DeleteChain("none"));
    refused("No such file", vip, new DeleteSet("none"));
    refused("No such file", vip, add(new ElementKey(Elements.PROGRAMS, "2:1"), "goto none"));
    refused("busy", vip, new DeleteChain(new Program.Random(3).chain()));
    assertThat(contents()).isEqualTo(before);
  }

  @Test
  void withoutATableEverythingIsRefused() {
    refused("No such file", add(ENDPOINT, "10.244.0.1 . 8080"));
    refused("No such file", new DeleteTable());
    nft().commit(LAYOUT, LAYOUT.create());
    nft().commit(LAYOUT, List.of(new DeleteTable()));
    assertThat(nft().read(LAYOUT)).isEmpty();
  }

  @Test
  void programsOfTheirOwnComeAndGo() {
    nft().commit(LAYOUT, LAYOUT.create());
    var before = contents();
    for (var program :
        List.of(
            new Program.RoundRobin(3, Protocol.UDP, 1),
            new Program.Sticky(Choice.ROUND_ROBIN, 3, 60, Protocol.SCTP, 1, 2),
            new Program.Sticky(Choice.HASH, 1021, 60, Protocol.TCP, 1, 3))) {
      var create = new ArrayList<>(LAYOUT.createProgram(program));
      create.add(Layout.dispatch(program));
      nft().commit(LAYOUT, create);
      assertThat(contents().chains().get(program.chain()))
          .isEqualTo(fingerprints(LAYOUT.rules(program)));
      var delete = new ArrayList<Command>();
      delete.add(
          new DeleteElement(new ElementKey(Elements.PROGRAMS, Elements.number(program.number()))));
      delete.add(new DeleteChain(program.chain()));
      if (program instanceof Program.Sticky sticky) {
        delete.add(new DeleteSet(Elements.affinity(sticky.memory())));
      }
      nft().commit(LAYOUT, delete);
      assertThat(contents()).isEqualTo(before);
    }
  }

  /** (P99) A chain is named by numbers of bounded length; no name of a Service is in it. */
  @Test
  void chainsOfTheLongestNamesAreApart() {
    nft().commit(LAYOUT, LAYOUT.create());
    var programs =
        List.of(
            new Program.Sticky(
                Choice.ROUND_ROBIN, 65_535, 86_400, Protocol.SCTP, 65_535, Program.MAX_OWN),
            new Program.Sticky(
                Choice.ROUND_ROBIN, 65_535, 86_400, Protocol.SCTP, 65_535, Program.MAX_OWN - 1),
            new Program.RoundRobin(65_535, Protocol.SCTP, Program.MAX_OWN - 2),
            new Program.Random(65_535));
    var commands = new ArrayList<Command>();
    for (var program : programs) {
      commands.addAll(LAYOUT.createProgram(program));
      commands.add(Layout.dispatch(program));
    }
    nft().commit(LAYOUT, commands);
    for (var program : programs) {
      assertThat(contents().chains().get(program.chain()))
          .isEqualTo(fingerprints(LAYOUT.rules(program)));
      assertThat(Program.parse(program.chain())).contains(program);
      assertThat(contents().elements(Elements.PROGRAMS))
          .containsEntry(Elements.number(program.number()), Optional.of("goto " + program.chain()));
    }
  }

  @Test
  void rulesOfAChainAreReplacedInOneTransaction() {
    nft().commit(LAYOUT, LAYOUT.create());
    var chain = new Program.Drop().chain();
    var rules = List.of(new Rule("meta priority set 0"), new Rule("drop"));
    nft()
        .commit(
            LAYOUT,
            List.of(
                new FlushChain(chain),
                new AddRule(chain, rules.get(0)),
                new AddRule(chain, rules.get(1))));
    assertThat(contents().chains().get(chain)).isEqualTo(fingerprints(rules));
    nft().commit(LAYOUT, List.of(new AddChain("more", Optional.empty())));
    assertThat(contents().chains()).containsEntry("more", List.of());
  }

  @Test
  void eachChangeMovesTheGenerationByOne() {
    nft().commit(LAYOUT, LAYOUT.create());
    long before = nft().generation().orElseThrow();
    nft().commit(LAYOUT, List.of(add(ENDPOINT, "10.244.0.1 . 8080")));
    assertThat(nft().generation()).hasValue(before + 1);
    refused("exists", add(ENDPOINT, "10.244.0.9 . 8080"));
    contents();
    assertThat(nft().generation()).as("neither a refusal nor a reading").hasValue(before + 1);
  }

  private void refused(String words, Command... commands) {
    assertThatThrownBy(() -> nft().commit(LAYOUT, List.of(commands)))
        .isInstanceOfSatisfying(
            GatewayException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.KNOWN_FAILED))
        .hasMessageContaining(words);
  }

  private TableContents contents() {
    return nft().read(LAYOUT).orElseThrow();
  }

  private static AddElement add(ElementKey element, String value) {
    return new AddElement(element, Optional.of(value));
  }

  private static AddElement add(ElementKey element) {
    return new AddElement(element, Optional.empty());
  }

  private static List<String> fingerprints(List<Rule> rules) {
    return rules.stream().map(Rule::fingerprint).toList();
  }
}
