package io.fairlead.core.view;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.conformance.ConformanceRow;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each row of {@code conformance/endpointslices.tsv} and {@code conformance/node-view.tsv}: by the
 * rows of {@link EndpointSlicesTest} and {@link UsableEndpointsTest} that bear its id, else by the
 * test named here. Differences: slices are a function of the current objects, so C3 and C42 ask for
 * none above 100 and at most twice the fewest; a Pod counts without its Node (C10).
 */
@Timeout(60)
class ViewConformanceTest {
  private static final EndpointSlicesTest SLICES = new EndpointSlicesTest();
  private static final NodeViewTest VIEW = new NodeViewTest();
  private static final Map<String, Runnable> CASES =
      Map.ofEntries(
          entry("C3", () -> SLICES.splitsLargeServices(250)),
          entry("C11", SLICES::aNamedTargetPortWithTwoNumbersGivesTwoSlices),
          entry("C13", SLICES::aSidecarsPortsCountAfterThoseOfTheOthersAndAnInitContainersNever),
          entry("C14", SLICES::aSidecarsPortsCountAfterThoseOfTheOthersAndAnInitContainersNever),
          entry("C15", SLICES::aNameThatNoContainerHasIsLeftOut),
          entry("C16", SLICES::aHeadlessServiceWithoutPortsHasASliceWithoutPorts),
          entry("C17", SLICES::aDualStackServiceHasASliceForEachFamily),
          entry("C20", SLICES::labelsFollowTheServiceExceptForReservedKeys),
          entry("C21", SLICES::labelsFollowTheServiceExceptForReservedKeys),
          entry("C22", SLICES::aHeadlessServiceWithoutPortsHasASliceWithoutPorts),
          entry("C23", SLICES::namesAreAFunctionOfTheObjects),
          entry("C32", SLICES::theHostnameCountsBelowItsOwnSubdomainOnly),
          entry("C35", SLICES::anEndpointHintsAtItsOwnPlace),
          entry("C40", VIEW::anAnnotationOfAPodChangesNothing),
          entry("C41", SLICES::aRelabelledPodMovesFromOneServiceToAnother),
          entry("C42", () -> SLICES.splitsLargeServices(1200)),
          entry("C43", SLICES::twoPodsWithOneAddressAreBothListed),
          entry("P4", VIEW::protocolsOfOnePortAreApart),
          entry("P13", VIEW::aFrontendRejectsUntilItHasAnEndpoint),
          entry("P14", VIEW::aFrontendRejectsUntilItHasAnEndpoint),
          entry("P57", VIEW::theZoneOfANodeReachesItsEndpoints),
          entry("P86", VIEW::headlessAndExternalNameHaveNoRules),
          entry("P87", VIEW::headlessAndExternalNameHaveNoRules),
          entry("P96", VIEW::eachFamilyHasItsOwnEndpoints));

  static Stream<ConformanceRow> rows() {
    return Stream.of("endpointslices", "node-view").flatMap(f -> ConformanceRow.of(f).stream());
  }

  @ParameterizedTest
  @MethodSource("rows")
  void doesWhatTheRowSays(ConformanceRow row) {
    var cases =
        Stream.of(
                Optional.ofNullable(CASES.get(row.id())).stream(),
                EndpointSlicesTest.rows()
                    .filter(r -> r.id().startsWith(row.id() + " "))
                    .<Runnable>map(r -> () -> SLICES.listsAPodWithItsConditions(r)),
                UsableEndpointsTest.rows()
                    .filter(r -> r.id().startsWith(row.id() + " "))
                    .<Runnable>map(
                        r -> () -> new UsableEndpointsTest().usesTheEndpointsOfTheRow(r)))
            .flatMap(s -> s)
            .toList();
    assertThat(cases).as("cases of " + row).isNotEmpty();
    cases.forEach(Runnable::run);
  }

  /** No case without its row. */
  @Test
  void everyCaseHasItsRow() {
    List<String> ids = rows().map(ConformanceRow::id).toList();
    assertThat(ids).containsAll(CASES.keySet());
  }
}
