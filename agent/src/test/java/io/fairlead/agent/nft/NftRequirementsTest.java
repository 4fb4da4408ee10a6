package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.agent.nft.NftRequirements.Format;
import io.fairlead.agent.nft.NftRequirements.Library;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Libraries and kernels that nobody here has. Names in parentheses are rows of conformance. */
@Timeout(60)
class NftRequirementsTest {
  /** One of that version, without the features that contain one of those words. */
  private record Some(String version, List<String> lacks, List<String> tried) implements Library {
    Some(String version, String... lacks) {
      this(version, List.of(lacks), new ArrayList<>());
    }

    @Override
    public String list(Format format) {
      return switch (format) {
        case TEXT -> refusing("list", "");
        case JSON ->
            refusing(
                "json",
                "{\"nftables\": [{\"metainfo\": {\"version\": \"%s\", \"json_schema_version\": 1}}]}"
                    .formatted(version));
      };
    }

    @Override
    public void tryOut(String commands) {
      tried.add(commands);
      var _ = refusing(commands, "");
    }

    private String refusing(String what, String otherwise) {
      if (lacks.stream().anyMatch(what::contains)) {
        throw new GatewayException(Outcome.KNOWN_FAILED, "No such file or directory");
      }
      return otherwise;
    }
  }

  private static void refused(Library library, String... words) {
    assertThatThrownBy(() -> NftRequirements.check(library))
        .isInstanceOf(GatewayException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void takesWhatHasEverything() {
    var library = new Some("1.1.3");
    assertThat(NftRequirements.check(library)).isEqualTo("1.1.3");
    assertThat(library.tried()).allMatch(commands -> commands.contains("fairlead_check"));
    assertThat(NftRequirements.check(new Some("1.0.6"))).isEqualTo("1.0.6");
  }

  @ParameterizedTest // (P122)
  @ValueSource(strings = {"1.0.5", "0.9.8", "1.0"})
  void refusesAnOlderOne(String version) {
    refused(new Some(version), "version " + version, "1.0.6 or newer");
  }

  @Test // (P122)
  void refusesOneWithoutJson() {
    refused(new Some("1.1.3", "json"), "built without JSON");
  }

  @Test
  void whoMayNotUseItIsToldSo() {
    refused(new Some("1.1.3", "list"), "needs root or CAP_NET_ADMIN", "No such file");
    refused(new Some("1.1.3", "add table"), "modprobe nf_tables");
  }

  @ParameterizedTest // (P122)
  @ValueSource(strings = {"numgen", "jhash", "reject", "masquerade"})
  void namesTheFeatureThatKernelOrLibraryLack(String feature) {
    refused(new Some("1.1.3", feature), "nftables lacks " + feature, "modprobe nft_");
  }
}
