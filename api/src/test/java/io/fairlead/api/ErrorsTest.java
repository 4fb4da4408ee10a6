package io.fairlead.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport.FieldFault;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.PodClaims;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ErrorsTest {
  private static final ObjectKey WEB = ObjectKey.of(Kind.SERVICE, new ObjectName("shop", "web"));
  private static final ObjectKey NODE = ObjectKey.ofCluster(Kind.NODE, "node-a");
  private static final LogPartition P7 = LogPartition.parse("p7").orElseThrow();

  record Case(
      StatusRuntimeException error,
      Code code,
      Reason reason,
      Map<String, String> metadata,
      String words) {
    @Override
    public String toString() {
      return reason.name();
    }
  }

  private static final ObjectKey NEW_RESERVATION = ObjectKey.ofCluster(Kind.RESERVATION, "");
  private static final ObjectKey RESERVATION = ObjectKey.ofCluster(Kind.RESERVATION, "r-1");

  private static Refusal reserved(ObjectKey object) {
    return new Refusal.AddressReserved(
        object,
        Address.of("10.96.0.10"),
        new ObjectName("kube-system", "kube-dns"),
        new UUID(1, 2),
        Instant.parse("2026-11-01T00:10:00.5Z"));
  }

  static List<Case> errors() {
    return List.of(
        new Case(
            Errors.refused(new Refusal.NameTaken(WEB)),
            Code.ALREADY_EXISTS,
            Reason.NAME_TAKEN,
            Map.of("kind", "Service", "name", "web", "namespace", "shop"),
            "Error from server (AlreadyExists): services \"web\" already exists"),
        new Case(
            Errors.refused(
                new Refusal.AddressTaken(
                    WEB, Address.of("10.96.0.10"), new ObjectName("kube-system", "kube-dns"))),
            Code.ALREADY_EXISTS,
            Reason.CLUSTER_IP_TAKEN,
            Map.of(
                "kind",
                "Service",
                "name",
                "web",
                "namespace",
                "shop",
                "address",
                "10.96.0.10",
                "holder",
                "kube-system/kube-dns"),
            "The Service \"web\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.10\"]: "
                + "failed to allocate IP 10.96.0.10: provided IP is already allocated to Service kube-system/kube-dns"),
        new Case(
            Errors.refused(
                new Refusal.AddressTaken(
                    NEW_RESERVATION, Address.of("10.96.0.10"), new ObjectName("shop", "a"))),
            Code.ALREADY_EXISTS,
            Reason.CLUSTER_IP_TAKEN,
            Map.of("address", "10.96.0.10", "holder", "shop/a"),
            "Error from server (AlreadyExists): 10.96.0.10 is allocated to Service shop/a"),
        new Case(
            Errors.refused(reserved(WEB)),
            Code.ALREADY_EXISTS,
            Reason.CLUSTER_IP_RESERVED,
            Map.of(
                "kind",
                "Service",
                "name",
                "web",
                "namespace",
                "shop",
                "address",
                "10.96.0.10",
                "holder",
                "kube-system/kube-dns",
                "reservation",
                "00000000-0000-0001-0000-000000000002",
                "expires",
                "2026-11-01T00:10:00Z"),
            "The Service \"web\" is invalid: spec.clusterIPs: 10.96.0.10 is reserved for Service "
                + "kube-system/kube-dns until 2026-11-01T00:10:00Z"),
        new Case(
            Errors.refused(reserved(NEW_RESERVATION)),
            Code.ALREADY_EXISTS,
            Reason.CLUSTER_IP_RESERVED,
            Map.of(
                "address",
                "10.96.0.10",
                "holder",
                "kube-system/kube-dns",
                "reservation",
                "00000000-0000-0001-0000-000000000002",
                "expires",
                "2026-11-01T00:10:00Z"),
            "Error from server (AlreadyExists): 10.96.0.10 is reserved for Service "
                + "kube-system/kube-dns until 2026-11-01T00:10:00Z"),
        new Case(
            Errors.refused(
                new Refusal.BandFull(
                    NEW_RESERVATION, Family.IPV4, List.of(Cidr.of("10.96.0.0/24")), 20, 15)),
            Code.RESOURCE_EXHAUSTED,
            Reason.RANGE_FULL,
            Map.of("family", "IPv4", "ranges", "10.96.0.0/24"),
            "Error from server (ResourceExhausted): 20 free addresses were asked for; the static "
                + "bands of 10.96.0.0/24 have 15"),
        new Case(
            Errors.refused(new Refusal.WrongToken(RESERVATION)),
            Code.PERMISSION_DENIED,
            Reason.WRONG_TOKEN,
            Map.of("kind", "Reservation", "name", "r-1"),
            "Error from server (Forbidden): reservations \"r-1\": not the token that it was made with"),
        new Case(
            Errors.refused(new Refusal.NotFound(RESERVATION)),
            Code.NOT_FOUND,
            Reason.NOT_FOUND,
            Map.of("kind", "Reservation", "name", "r-1"),
            "Error from server (NotFound): reservations \"r-1\" not found: it ran out, was released, "
                + "or etcd lost it"),
        new Case(
            Errors.refused(new Refusal.Limit("1024 reservations")),
            Code.RESOURCE_EXHAUSTED,
            Reason.LIMIT_REACHED,
            Map.of("limit", "1024 reservations"),
            "Error from server (ResourceExhausted): too much at once: 1024 reservations"),
        new Case(
            Errors.refused(
                new Refusal.RangeFull(WEB, Family.IPV4, List.of(Cidr.of("10.96.0.0/29")))),
            Code.RESOURCE_EXHAUSTED,
            Reason.RANGE_FULL,
            Map.of("family", "IPv4", "ranges", "10.96.0.0/29"),
            "Error from server (ResourceExhausted): every IPv4 ClusterIP of 10.96.0.0/29 is allocated"),
        new Case(
            Errors.refused(
                new Refusal.RangeFull(
                    WEB, Family.IPV4, List.of(), List.of("default (10.96.0.0/16)"))),
            Code.RESOURCE_EXHAUSTED,
            Reason.RANGE_FULL,
            Map.of("family", "IPv4", "ranges", ""),
            "Error from server (ResourceExhausted): there is no range of IPv4 ClusterIPs; terminating, so that nothing is given out of it: default (10.96.0.0/16)"),
        new Case(
            Errors.refused(new Refusal.NotFound(NODE)),
            Code.NOT_FOUND,
            Reason.NOT_FOUND,
            Map.of("kind", "Node", "name", "node-a"),
            "Error from server (NotFound): nodes \"node-a\" not found"),
        new Case(
            Errors.refused(new Refusal.Stale(WEB, "metadata.resourceVersion", "7", "9")),
            Code.ABORTED,
            Reason.STALE_VERSION,
            Map.of(
                "kind",
                "Service",
                "name",
                "web",
                "namespace",
                "shop",
                "field",
                "metadata.resourceVersion",
                "expected",
                "7",
                "actual",
                "9"),
            "Error from server (Conflict): services \"web\": metadata.resourceVersion is \"9\", "
                + "not \"7\": read it again"),
        new Case(
            Errors.refused(new Refusal.NotYours(WEB, "it belongs to the control plane")),
            Code.FAILED_PRECONDITION,
            Reason.NOT_YOURS,
            Map.of("kind", "Service", "name", "web", "namespace", "shop"),
            "Error from server (FailedPrecondition): services \"web\": it belongs to the control plane"),
        new Case(
            Errors.refused(
                new Refusal.NotEmpty(
                    ObjectKey.ofCluster(Kind.NAMESPACE, "shop"),
                    new TreeMap<>(Map.of(Kind.SERVICE, 2, Kind.POD, 1)),
                    WEB)),
            Code.FAILED_PRECONDITION,
            Reason.NOT_EMPTY,
            Map.of("kind", "Namespace", "name", "shop", "services", "2", "pods", "1"),
            "Error from server (FailedPrecondition): namespaces \"shop\": it holds 2 services and 1 pod, among them \"web\": "
                + "delete them first, or all of it with --cascade"),
        new Case(
            Errors.refused(
                new Refusal.Terminating(
                    ObjectKey.ofCluster(Kind.SERVICE_CIDR, "more"), "it is being deleted")),
            Code.FAILED_PRECONDITION,
            Reason.TERMINATING,
            Map.of("kind", "ServiceCIDR", "name", "more"),
            "Error from server (FailedPrecondition): servicecidrs \"more\": it is being deleted"),
        new Case(
            Errors.refused(new Refusal.SessionEnded(NODE, 12, "a later session exists")),
            Code.FAILED_PRECONDITION,
            Reason.OLD_SESSION,
            Map.of("node", "node-a", "session", "12"),
            "Error from server (FailedPrecondition): nodes \"node-a\": a later session exists"),
        new Case(
            Errors.refused(
                new Refusal.PortTaken(
                    ObjectKey.of(Kind.POD, new ObjectName("shop", "web-1")),
                    new PodClaims.Taken(
                        new PodClaims.Claim(Address.of("192.0.2.1"), 80, Protocol.TCP),
                        new ObjectName("default", "web-0")))),
            Code.ALREADY_EXISTS,
            Reason.POD_PORT_TAKEN,
            Map.of(
                "kind", "Pod",
                "name", "web-1",
                "namespace", "shop",
                "address", "192.0.2.1",
                "port", "80",
                "protocol", "TCP",
                "holder", "default/web-0"),
            "Error from server (AlreadyExists): pods \"web-1\": 192.0.2.1:80/TCP is claimed by Pod default/web-0"
                + " on the same node"),
        new Case(
            Errors.refused(new Refusal.NodeLives(NODE, Optional.of("replica-1"))),
            Code.FAILED_PRECONDITION,
            Reason.NODE_LIVES,
            Map.of("kind", "Node", "name", "node-a", "streamReplica", "replica-1"),
            "Error from server (FailedPrecondition): nodes \"node-a\": it is connected, to replica replica-1: end its"
                + " agent, and delete the node when it is NotReady"),
        new Case(
            Errors.refused(new Refusal.NodeLives(NODE, Optional.empty())),
            Code.FAILED_PRECONDITION,
            Reason.NODE_LIVES,
            Map.of("kind", "Node", "name", "node-a"),
            "Error from server (FailedPrecondition): nodes \"node-a\": it is not lost yet: that takes up to"
                + " --node-lost-after, 40s by default, from when its agent has ended, and five minutes more where"
                + " many nodes are missing at once; delete it when it is NotReady"),
        new Case(
            Errors.nodeLost("node-a", "no stream for 40s"),
            Code.FAILED_PRECONDITION,
            Reason.NODE_LOST,
            Map.of("kind", "Node", "name", "node-a"),
            "Error from server (FailedPrecondition): nodes \"node-a\" is lost: no stream for 40s"),
        new Case(
            Errors.nodeAway("node-a", "no replica has its stream at the moment"),
            Code.UNAVAILABLE,
            Reason.NODE_AWAY,
            Map.of("kind", "Node", "name", "node-a"),
            "Error from server (ServiceUnavailable): nodes \"node-a\" could not be asked: no replica has its"
                + " stream at the moment"),
        new Case(
            Errors.agentFailed("node-a", "the data plane is closed"),
            Code.UNAVAILABLE,
            Reason.NODE_AWAY,
            Map.of("kind", "Node", "name", "node-a", "by", "agent"),
            "Error from server (ServiceUnavailable): nodes \"node-a\" could not be asked: the data plane is closed"),
        new Case(
            Errors.agentTooOld("node-a", 3),
            Code.FAILED_PRECONDITION,
            Reason.AGENT_TOO_OLD,
            Map.of("kind", "Node", "name", "node-a", "protocol", "3"),
            "Error from server (FailedPrecondition): the agent of nodes \"node-a\" speaks protocol 3, in which it"
                + " cannot be asked; replace it by a newer one"),
        new Case(
            Errors.refused(new Refusal.Superseded(NODE, 12, Address.of("192.0.2.9"))),
            Code.FAILED_PRECONDITION,
            Reason.SUPERSEDED,
            Map.of("node", "node-a", "session", "12"),
            "Error from server (FailedPrecondition): nodes \"node-a\": another agent with this name, on a host with"
                + " address 192.0.2.9, opened a session later than this one's last one, 12: give each node a name"
                + " of its own (--node)"),
        new Case(
            Errors.requestIdReused("r-1"),
            Code.INVALID_ARGUMENT,
            Reason.REQUEST_ID_REUSED,
            Map.of("requestId", "r-1"),
            "Error from server (BadRequest): request id \"r-1\" was used for another request"),
        new Case(
            Errors.limitReached("4096 requests wait"),
            Code.RESOURCE_EXHAUSTED,
            Reason.LIMIT_REACHED,
            Map.of("limit", "4096 requests wait"),
            "Error from server (ResourceExhausted): too much at once: 4096 requests wait"),
        new Case(
            Errors.notOwner(P7, 99),
            Code.FAILED_PRECONDITION,
            Reason.NOT_OWNER,
            Map.of("partition", "p7", "revision", "99"),
            "Error from server (FailedPrecondition): not the owner of partition p7"),
        new Case(
            Errors.noOwner(P7),
            Code.UNAVAILABLE,
            Reason.NO_OWNER,
            Map.of("partition", "p7"),
            "Error from server (ServiceUnavailable): no replica owns partition p7 at the moment"),
        new Case(
            Errors.foreignLog("a.b", "c.d"),
            Code.FAILED_PRECONDITION,
            Reason.FOREIGN_LOG,
            Map.of("expected", "a.b", "actual", "c.d"),
            "Error from server (FailedPrecondition): the position is of log c.d, this cluster's log is a.b"),
        new Case(
            Errors.positionTooOld("s:7", "s:9"),
            Code.OUT_OF_RANGE,
            Reason.POSITION_TOO_OLD,
            Map.of("position", "s:7", "oldest", "s:9"),
            "Error from server (Expired): what was there at s:7 is not known any more, only since s:9: list again"),
        new Case(
            Errors.unsupportedProtocol(9, "1"),
            Code.FAILED_PRECONDITION,
            Reason.UNSUPPORTED_PROTOCOL,
            Map.of("offered", "9", "supported", "1"),
            "Error from server (FailedPrecondition): protocol 9 is not supported, only 1"),
        new Case(
            Errors.badContainer(
                new ObjectName("shop", "web"), "container x is not valid for pod web"),
            Code.INVALID_ARGUMENT,
            Reason.BAD_CONTAINER,
            Map.of("kind", "Pod", "namespace", "shop", "name", "web"),
            "Error from server (BadRequest): container x is not valid for pod web"),
        new Case(
            Errors.notSynced("reading the log"),
            Code.UNAVAILABLE,
            Reason.NOT_SYNCED,
            Map.of(),
            "Error from server (ServiceUnavailable): reading the log"),
        new Case(
            Errors.shuttingDown(),
            Code.UNAVAILABLE,
            Reason.SHUTTING_DOWN,
            Map.of(),
            "Error from server (ServiceUnavailable): the replica is shutting down"),
        new Case(
            Errors.refused(new Refusal.AboveFeatureLevel(WEB, 3, 2)),
            Code.FAILED_PRECONDITION,
            Reason.FEATURE_LEVEL_TOO_LOW,
            Map.of(
                "kind", "Service", "name", "web", "namespace", "shop", "needed", "3", "level", "2"),
            "Error from server (FailedPrecondition): services \"web\": it needs feature level 3, and the log has 2: when all replicas support it, raise it with fairlead feature-level raise 3"),
        new Case(
            Errors.refused(
                new Refusal.UnsupportedFeatureLevel(
                    2,
                    List.of(
                        "allocator/a supports up to 1", "dns/d has not said what it supports"))),
            Code.FAILED_PRECONDITION,
            Reason.UNSUPPORTED_FEATURE_LEVEL,
            Map.of(
                "level",
                "2",
                "replicas",
                "allocator/a supports up to 1,dns/d has not said what it supports"),
            "Error from server (FailedPrecondition): feature level 2 is not supported by all replicas: allocator/a supports up to 1; dns/d has not said what it supports"),
        new Case(
            Errors.of(new GatewayException(Outcome.UNKNOWN, "commit timed out")),
            Code.UNAVAILABLE,
            Reason.OUTCOME_UNKNOWN,
            Map.of(),
            "Error from server (ServiceUnavailable): commit timed out"),
        new Case(
            Errors.of(new GatewayException(Outcome.KNOWN_FAILED, "etcd does not answer")),
            Code.UNAVAILABLE,
            Reason.DEPENDENCY_UNAVAILABLE,
            Map.of(),
            "Error from server (ServiceUnavailable): etcd does not answer"),
        new Case(
            Errors.of(new IllegalStateException("secret")),
            Code.INTERNAL,
            Reason.FAULT,
            Map.of(),
            "Error from server (InternalError): internal fault"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void clientReadsWhatTheServerSaid(Case row) {
    var report = ErrorReport.of(row.error());
    assertThat(report.code()).isEqualTo(row.code()).isEqualTo(row.reason().code());
    assertThat(report.reason()).contains(row.reason());
    assertThat(report.metadata()).isEqualTo(row.metadata());
    assertThat(report.words()).isEqualTo(row.words());
    assertThat(report.faults()).isEmpty();
    assertThat(report.isTransient()).isEqualTo(row.code() == Code.UNAVAILABLE);
  }

  @Test
  void everyReasonHasARow() {
    var tested =
        errors().stream()
            .map(Case::reason)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Reason.class)));
    assertThat(EnumSet.complementOf(tested)).containsExactly(Reason.INVALID); // below
  }

  @Test
  void namesAllFaultsAtOnce() {
    var report =
        ErrorReport.of(
            Errors.refused(
                new Refusal.Invalid(
                    WEB,
                    List.of(
                        new Violation("spec.type", Violation.Reason.NOT_SUPPORTED, "no NodePort"),
                        new Violation("spec.ports", Violation.Reason.REQUIRED, "at least one")))));
    assertThat(report.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(report.reason()).contains(Reason.INVALID);
    assertThat(report.metadata()).containsEntry("kind", "Service").containsEntry("name", "web");
    assertThat(report.faults())
        .containsExactly(
            new FieldFault("spec.type", "NotSupported", "no NodePort"),
            new FieldFault("spec.ports", "Required", "at least one"));
    assertThat(report.words())
        .isEqualTo(
            """
            The Service "web" is invalid:
            * spec.type: Unsupported value: no NodePort
            * spec.ports: Required value: at least one\
            """);
  }

  @Test
  void understandsStatusesOfOthers() {
    var report = ErrorReport.of(Status.UNAVAILABLE.asRuntimeException(new Metadata()));
    assertThat(report.reason()).isEqualTo(Optional.empty());
    assertThat(report.message()).isEqualTo("UNAVAILABLE");
    assertThat(report.isTransient()).isTrue();
  }

  @Test
  void keepsStatusesThatHandlersThrow() {
    var thrown = Errors.noOwner(P7);
    assertThat(Errors.of(thrown)).isSameAs(thrown);
  }

  @Test
  void documentationHasTheTableOfReasons() throws IOException {
    var page = Files.readString(Path.of("..", "docs", "errors.md"));
    assertThat(page).contains("\n" + Reason.markdown());
  }
}
