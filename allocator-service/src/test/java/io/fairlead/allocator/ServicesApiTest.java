package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.Position;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.UpdateServiceRequest;
import io.fairlead.v1.WatchNamespacesRequest;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
import io.grpc.Status.Code;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The Service API as its callers see it. */
@Timeout(120)
class ServicesApiTest {
  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/16");

  @AfterEach
  void end() {
    world.close();
    assertThat(world.faults).isEmpty();
  }

  private static String id() {
    return "id-" + UUID.randomUUID();
  }

  private static ServiceReply update(Client client, Service service) {
    return client
        .services()
        .update(UpdateServiceRequest.newBuilder().setRequestId(id()).setService(service).build());
  }

  private static Service with(Service service, Consumer<Service.Builder> change) {
    var builder = service.toBuilder();
    change.accept(builder);
    return builder.build();
  }

  @Test
  void updateReplacesAllButWhatItMayNotTouch() {
    var a = world.start("a");
    var client = a.client;
    assertThat(failure(() -> update(client, service("web", ""))).code()).isEqualTo(Code.NOT_FOUND);
    var labelled =
        with(service("web", "10.96.0.20"), s -> s.getMetadataBuilder().putLabels("tier", "b"));
    var created = client.create(id(), labelled).getService();
    // without a version: whatever is there
    var updated = update(client, service("web", ""));
    assertThat(updated.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(updated.getService().getMetadata().getLabelsMap()).isEmpty();
    assertThat(updated.getService().getMetadata().getUid())
        .isEqualTo(created.getMetadata().getUid());
    assertThat(updated.getService().getSpec().getClusterIp()).isEqualTo("10.96.0.20");
    int before = world.events().size();
    assertThat(update(client, updated.getService()).getResult()).isEqualTo(Result.UNCHANGED);
    var stale =
        failure(() ->
            update(client, with(created, s -> s.getSpecBuilder().putSelector("app", "other"))));
    assertThat(stale.code()).isEqualTo(Code.ABORTED);
    assertThat(stale.reason()).contains(Reason.STALE_VERSION);
    assertThat(world.events()).hasSize(before);
    var current = with(updated.getService(), s -> s.getSpecBuilder().putSelector("app", "other"));
    assertThat(update(client, current).getResult()).isEqualTo(Result.CONFIGURED);
  }

  @Test
  void dryRunsOfEveryChangeSayWhatWouldComeOfItAndChangeNothing() {
    var a = world.start("a");
    var client = a.client;
    var web = client.create(id(), service("web", "")).getService();
    var events = world.events();
    var claims = world.claims();
    var tried =
        client
            .services()
            .update(
                UpdateServiceRequest.newBuilder()
                    .setRequestId(id())
                    .setService(
                        with(
                            web,
                            s ->
                                s.getSpecBuilder()
                                    .setType("ExternalName")
                                    .setExternalName("db.example.com")))
                    .setDryRun(true)
                    .build());
    assertThat(tried.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(tried.getService().getSpec().getClusterIp()).isEmpty();
    var delete =
        DeleteServiceRequest.newBuilder()
            .setRequestId(id())
            .setNamespace("shop")
            .setName("web")
            .setDryRun(true);
    assertThat(client.services().delete(delete.build()).getResult()).isEqualTo(Result.DELETED);
    assertThat(
            client
                .serviceCidrs()
                .delete(
                    DeleteServiceCidrRequest.newBuilder()
                        .setRequestId(id())
                        .setName("default")
                        .setDryRun(true)
                        .build())
                .getServiceCidr()
                .getStatus()
                .getConditions(0)
                .getReason())
        .isEqualTo("Terminating");
    var namespace =
        DeleteNamespaceRequest.newBuilder().setRequestId(id()).setName("shop").setDryRun(true);
    assertThat(failure(() -> client.namespaces().delete(namespace.build())).reason())
        .contains(Reason.NOT_EMPTY);
    var all = client.namespaces().delete(namespace.setCascade(true).build());
    assertThat(all.getDeletedServices()).isEqualTo(1);
    assertThat(
            failure(() -> client.namespaces().delete(namespace.setName("none").build())).reason())
        .contains(Reason.NOT_FOUND);
    assertThat(world.events()).isEqualTo(events);
    assertThat(world.claims()).isEqualTo(claims);
  }

  @Test
  void selectsByFieldsAsKubernetesDoes() {
    var client = world.start("a").client;
    client.create(id(), service("web", "10.96.0.20"));
    client.create(id(), service("headless", "None"));
    client.create(
        id(),
        with(
            service("db", ""),
            s -> s.getSpecBuilder().setType("ExternalName").setExternalName("db.example.com")));
    assertThat(names(client, "spec.clusterIP=10.96.0.20")).containsExactly("web");
    assertThat(names(client, "spec.clusterIP=None")).containsExactly("headless");
    assertThat(names(client, "spec.type=ExternalName")).containsExactly("db");
    assertThat(names(client, "spec.type!=ExternalName,metadata.namespace==shop"))
        .containsExactly("headless", "web");
    assertThat(names(client, "metadata.name=web")).containsExactly("web");
    var unknown = failure(() -> names(client, "spec.ports=80"));
    assertThat(unknown.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(unknown.faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("fieldSelector");
    assertThat(unknown.message())
        .contains("metadata.name, metadata.namespace, spec.clusterIP, spec.type");
  }

  private static List<String> names(Client client, String fieldSelector) {
    return names(
        client
            .services()
            .list(ListServicesRequest.newBuilder().setFieldSelector(fieldSelector).build()));
  }

  private static List<String> names(ListServicesReply page) {
    return page.getItemsList().stream().map(s -> s.getMetadata().getName()).toList();
  }

  @Test
  void allPagesAreOfTheMomentOfTheFirstWhicheverReplicaIsAsked() {
    var a = world.start("a");
    var b = world.start("b");
    for (int i = 0; i < 7; i++) {
      a.client.create(id(), service("web-" + i, ""));
    }
    var request = ListServicesRequest.newBuilder().setNamespace("shop").setLimit(3);
    var first = a.client.services().list(request.build());
    assertThat(names(first)).containsExactly("web-0", "web-1", "web-2");
    a.client.delete(id(), "web-4");
    a.client.create(id(), service("web-3-new", ""));
    update(
        a.client, with(service("web-5", ""), s -> s.getMetadataBuilder().putLabels("tier", "b")));
    var second = b.client.services().list(request.setContinue(first.getContinue()).build());
    assertThat(names(second)).containsExactly("web-3", "web-4", "web-5");
    assertThat(second.getItems(2).getMetadata().getLabelsMap()).isEmpty();
    assertThat(second.getPosition()).isEqualTo(first.getPosition());
    var last = a.client.services().list(request.setContinue(second.getContinue()).build());
    assertThat(names(last)).containsExactly("web-6");
    assertThat(last.getContinue()).isEmpty();
    assertThat(names(a.client.list("shop", "", Freshness.LATEST)))
        .containsExactly("web-0", "web-1", "web-2", "web-3", "web-3-new", "web-5", "web-6");

    var other = request.setContinue(second.getContinue()).setLabelSelector("app=x").build();
    assertThat(failure(() -> a.client.services().list(other)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("continue");
    var garbage = ListServicesRequest.newBuilder().setContinue("%%").build();
    assertThat(failure(() -> a.client.services().list(garbage)).reason()).contains(Reason.INVALID);
    var negative = ListServicesRequest.newBuilder().setLimit(-1).build();
    assertThat(failure(() -> a.client.services().list(negative)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("limit");
  }

  @Test
  void namespacesComeInPagesToo() {
    var client = world.start("a").client;
    client.create(id(), service("web", ""));
    var request = ListNamespacesRequest.newBuilder().setLimit(1);
    var first = client.namespaces().list(request.build());
    client.delete(id(), "web"); // and with it the namespace
    var second = client.namespaces().list(request.setContinue(first.getContinue()).build());
    assertThat(List.of(first.getItems(0), second.getItems(0)))
        .extracting(n -> n.getMetadata().getName())
        .containsExactly("default", "shop");
    assertThat(second.getContinue()).isEmpty();
  }

  private static Iterator<WatchServicesReply> watch(Client client, Position from) {
    return client.watch(
        WatchServicesRequest.newBuilder().setNamespace("shop").setFrom(from).build());
  }

  private static String text(WatchServicesReply reply) {
    return switch (reply.getEventCase()) {
      case ADDED -> "+" + reply.getAdded().getMetadata().getName();
      case MODIFIED -> "*" + reply.getModified().getMetadata().getName();
      case DELETED -> "-" + reply.getDeleted().getMetadata().getName();
      case SYNCED -> "synced";
      case BOOKMARK -> "bookmark";
      case EVENT_NOT_SET -> "?";
    };
  }

  private static List<String> read(Iterator<WatchServicesReply> watch, int events) {
    var texts = new ArrayList<String>();
    while (texts.size() < events) {
      texts.add(text(watch.next()));
    }
    return texts;
  }

  @Test
  void aWatchGoesOnAtAnotherReplicaWhereItWasAndTellsWhatHappenedMeanwhile() {
    var a = world.start("a");
    var b = world.start("b");
    a.client.create(id(), service("db", "10.96.0.20"));
    a.client.create(id(), service("web", "10.96.0.21"));
    var first = watch(a.client, Position.getDefaultInstance());
    assertThat(read(first, 3)).containsExactly("+db", "+web", "synced");
    a.client.delete(id(), "db");
    var last = first.next();
    assertThat(text(last)).isEqualTo("-db");
    assertThat(last.hasPosition()).isTrue();
    a.crash();
    FakeNeighbours.await("b owns", b::owns);
    b.client.create(id(), service("db", "10.96.0.22"));
    b.client.delete(id(), "web");
    b.client.create(id(), service("short-lived", ""));
    b.client.delete(id(), "short-lived");
    var second = watch(b.client, last.getPosition());
    assertThat(read(second, 4)).containsExactly("+db", "-web", "-short-lived", "synced");
    update(b.client, with(service("db", ""), s -> s.getMetadataBuilder().putLabels("x", "y")));
    assertThat(read(second, 1)).containsExactly("*db");
  }

  @Test
  void aReplicaThatStartsKnowsWhatHappenedBeforeIt() {
    var a = world.start("a");
    var first = a.client.create(id(), service("web", "")).getPosition();
    a.client.delete(id(), "web");
    a.stop();
    var b = world.start("b");
    assertThat(read(watch(b.client, first), 2)).containsExactly("-web", "synced");
  }

  @Test
  void whatDoesNotMatchTheSelectorAnyMoreIsToldAsDeletedToOneWhoResumes() {
    var client = world.start("a").client;
    var web = with(service("web", ""), s -> s.getMetadataBuilder().putLabels("tier", "b"));
    var created = client.create(id(), web).getPosition();
    update(client, service("web", ""));
    var watch =
        client.watch(
            WatchServicesRequest.newBuilder().setLabelSelector("tier=b").setFrom(created).build());
    var told = watch.next();
    assertThat(text(told)).isEqualTo("-web");
    assertThat(told.getDeleted().getMetadata().getLabelsMap()).containsEntry("tier", "b");
  }

  @Test
  void namespacesAreWatchedFromAPositionToo() {
    var client = world.start("a").client;
    var created = client.create(id(), service("web", "")).getPosition();
    client.delete(id(), "web");
    var watch =
        client.namespaces().watch(WatchNamespacesRequest.newBuilder().setFrom(created).build());
    assertThat(watch.next().getDeleted().getMetadata().getName()).isEqualTo("shop");
    assertThat(watch.next().hasSynced()).isTrue();
  }

  @Test
  void refusesPositionsThatItCannotGoOnFrom() {
    var client = world.start("a").client;
    var position = client.create(id(), service("web", "")).getPosition();
    var foreign = position.toBuilder().setLog(new LogIdentity("other", "log").toString()).build();
    var foreignLog = failure(() -> watch(client, foreign).next());
    assertThat(foreignLog.reason()).contains(Reason.FOREIGN_LOG);
    var malformed = position.toBuilder().setOffsets("s=1").build();
    assertThat(failure(() -> watch(client, malformed).next()).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("from");
    var ahead = position.toBuilder().setOffsets("s:1000000").build();
    assertThat(failure(() -> watch(client, ahead).next()).reason()).contains(Reason.NOT_SYNCED);
  }

  @Test
  void anObjectThatIsTooLargeIsRefusedBeforeAnythingIsClaimed() {
    var client = world.start("a").client;
    var claims = world.claims();
    var large =
        with(
            service("large", ""),
            s -> {
              s.getMetadataBuilder().putAnnotations("example.com/a", "x".repeat(250 * 1024));
              s.getSpecBuilder().clearPorts();
              for (int port = 1; port <= 1_000; port++) {
                s.getSpecBuilder()
                    .addPorts(ServicePort.newBuilder().setName("p" + port).setPort(port));
              }
            });
    var refused = failure(() -> client.create(id(), large));
    assertThat(refused.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(refused.faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("object");
    assertThat(world.claims()).isEqualTo(claims);
    var small = with(large, s -> s.getMetadataBuilder().clearAnnotations());
    assertThat(client.create(id(), small).getService().getSpec().getPortsCount()).isEqualTo(1_000);
    var more =
        with(
            small,
            s -> {
              s.getMetadataBuilder().setName("more");
              s.getSpecBuilder().addPorts(ServicePort.newBuilder().setName("p0").setPort(1_001));
            });
    assertThat(failure(() -> client.create(id(), more)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("spec.ports");
  }
}
