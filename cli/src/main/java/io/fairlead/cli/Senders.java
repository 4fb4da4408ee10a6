package io.fairlead.cli;

import io.fairlead.api.PodCodec;
import io.fairlead.api.manifest.ManifestObject;
import io.fairlead.api.manifest.ManifestObject.OfEndpointSlice;
import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import io.fairlead.api.manifest.ManifestObject.OfServiceCidr;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.ApplyServiceCidrRequest;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateEndpointSliceRequest;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.NamespaceReply;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodCondition;
import io.fairlead.v1.Position;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServiceCidrReply;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.UpdateServiceRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Sends the objects of manifests, one after another, and says what became of each. */
final class Senders {
  private Senders() {}

  /** Whether the server is only asked what it would do. */
  enum DryRun {
    NONE,
    SERVER
  }

  /**
   * What was done.
   *
   * @param name of the object, which the server may have chosen
   * @param position whoever has it has what was done
   * @param warnings what is probably not as it was meant, though it was done
   */
  record Done(String words, String name, Position position, List<String> warnings) {
    Done {
      warnings = List.copyOf(warnings);
    }

    Done(String words, String name, Position position) {
      this(words, name, position, List.of());
    }

    static Done of(Result result, ObjectMeta meta, Position position) {
      return new Done(Senders.words(result), meta.getName(), position);
    }

    Done with(List<String> more) {
      return new Done(words, name, position, more);
    }

    static Done ofService(ServiceReply reply) {
      return of(reply.getResult(), reply.getService().getMetadata(), reply.getPosition());
    }

    static Done ofNamespace(NamespaceReply reply) {
      return of(reply.getResult(), reply.getNamespace().getMetadata(), reply.getPosition());
    }

    static Done ofEndpointSlice(EndpointSliceReply reply) {
      return of(reply.getResult(), reply.getEndpointSlice().getMetadata(), reply.getPosition());
    }

    static Done ofServiceCidr(ServiceCidrReply reply) {
      return of(reply.getResult(), reply.getServiceCidr().getMetadata(), reply.getPosition());
    }
  }

  /** How an object is sent. */
  interface Sender {
    /** Why it cannot be, whatever the server would say; empty where it is sent. */
    default Optional<String> refusal(ManifestObject object) {
      return Optional.empty();
    }

    Done service(Session session, Service service, DryRun dryRun);

    Done pod(Session session, Pod pod);

    Done namespace(Session session, Namespace namespace, DryRun dryRun);

    Done serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun);

    Done endpointSlice(Session session, EndpointSlice slice, DryRun dryRun);
  }

  /** Creates or changes. */
  static final class Apply implements Sender {
    @Override
    public Done service(Session session, Service service, DryRun dryRun) {
      var request =
          ApplyServiceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setService(service)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofService(session.services(stub -> stub.apply(request)));
    }

    @Override
    public Done pod(Session session, Pod pod) {
      var request =
          ApplyPodRequest.newBuilder().setRequestId(session.requestId()).setPod(pod).build();
      var reply = session.pods(stub -> stub.apply(request));
      var done = Done.of(reply.getResult(), reply.getPod().getMetadata(), reply.getPosition());
      var warnings = new ArrayList<>(reply.getWarningsList());
      reply.getPod().getStatus().getConditionsList().stream()
          .filter(condition -> condition.getReason().equals(PodCodec.NODE_NOT_FOUND))
          .map(PodCondition::getMessage)
          .forEach(warnings::add);
      return done.with(warnings);
    }

    @Override
    public Done namespace(Session session, Namespace namespace, DryRun dryRun) {
      var request =
          ApplyNamespaceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setNamespace(namespace)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofNamespace(session.namespaces(stub -> stub.apply(request)));
    }

    @Override
    public Done serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun) {
      var request =
          ApplyServiceCidrRequest.newBuilder()
              .setRequestId(session.requestId())
              .setServiceCidr(cidr)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofServiceCidr(session.serviceCidrs(stub -> stub.apply(request)));
    }

    @Override
    public Done endpointSlice(Session session, EndpointSlice slice, DryRun dryRun) {
      var request =
          ApplyEndpointSliceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setEndpointSlice(slice)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofEndpointSlice(session.endpointSlices(stub -> stub.apply(request)));
    }
  }

  /** Creates only. */
  static final class Create implements Sender {
    @Override
    public Done service(Session session, Service service, DryRun dryRun) {
      var request =
          CreateServiceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setService(service)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofService(session.services(stub -> stub.create(request)));
    }

    @Override
    public Optional<String> refusal(ManifestObject object) {
      return ofPods(object, "created");
    }

    @Override
    public Done pod(Session session, Pod pod) {
      throw new IllegalStateException("refused before");
    }

    @Override
    public Done namespace(Session session, Namespace namespace, DryRun dryRun) {
      var request =
          CreateNamespaceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setNamespace(namespace)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofNamespace(session.namespaces(stub -> stub.create(request)));
    }

    @Override
    public Done serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun) {
      var request =
          CreateServiceCidrRequest.newBuilder()
              .setRequestId(session.requestId())
              .setServiceCidr(cidr)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofServiceCidr(session.serviceCidrs(stub -> stub.create(request)));
    }

    @Override
    public Done endpointSlice(Session session, EndpointSlice slice, DryRun dryRun) {
      var request =
          CreateEndpointSliceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setEndpointSlice(slice)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return Done.ofEndpointSlice(session.endpointSlices(stub -> stub.create(request)));
    }
  }

  /** Changes what exists into what the manifest says. */
  static final class Replace implements Sender {
    private static Done replaced(Done done) {
      return new Done("replaced", done.name(), done.position());
    }

    @Override
    public Done service(Session session, Service service, DryRun dryRun) {
      var request =
          UpdateServiceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setService(service)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return replaced(Done.ofService(session.services(stub -> stub.update(request))));
    }

    @Override
    public Optional<String> refusal(ManifestObject object) {
      return ofPods(object, "replaced");
    }

    @Override
    public Done pod(Session session, Pod pod) {
      throw new IllegalStateException("refused before");
    }

    /** The version that is there makes sure that it is still there when it is changed. */
    @Override
    public Done namespace(Session session, Namespace namespace, DryRun dryRun) {
      var changed = namespace.toBuilder();
      var meta = changed.getMetadataBuilder();
      var found = new NamespaceResource().get(session, "", meta.getName(), Freshness.LATEST);
      if (meta.getResourceVersion().isEmpty()) {
        meta.setResourceVersion(found.getMetadata().getResourceVersion());
      }
      return replaced(new Apply().namespace(session, changed.build(), dryRun));
    }

    @Override
    public Done serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun) {
      var changed = cidr.toBuilder();
      var meta = changed.getMetadataBuilder();
      var found = new ServiceCidrResource().get(session, "", meta.getName(), Freshness.LATEST);
      if (meta.getResourceVersion().isEmpty()) {
        meta.setResourceVersion(found.getMetadata().getResourceVersion());
      }
      return replaced(new Apply().serviceCidr(session, changed.build(), dryRun));
    }

    @Override
    public Done endpointSlice(Session session, EndpointSlice slice, DryRun dryRun) {
      var changed = slice.toBuilder();
      var meta = changed.getMetadataBuilder();
      var found =
          new EndpointSliceResource()
              .get(session, meta.getNamespace(), meta.getName(), Freshness.LATEST);
      if (meta.getResourceVersion().isEmpty()) {
        meta.setResourceVersion(found.getMetadata().getResourceVersion());
      }
      return replaced(new Apply().endpointSlice(session, changed.build(), dryRun));
    }
  }

  private static Optional<String> ofPods(ManifestObject object, String not) {
    return object instanceof OfPod
        ? Optional.of(
            "Pods are not %s but applied: fairlead apply -f, or leave the file in the directory of manifests of its node's agent"
                .formatted(not))
        : Optional.empty();
  }

  private static String about(Manifests.Item item) {
    return "error with %s (%s:%d): ".formatted(item.object().title(), item.source(), item.line());
  }

  /**
   * @throws CliException one of them cannot be sent so; all of these were said
   */
  private static void refuse(List<Manifests.Item> items, Sender sender, Console console) {
    var refusals =
        items.stream()
            .flatMap(
                item -> sender.refusal(item.object()).map(words -> about(item) + words).stream())
            .toList();
    if (!refusals.isEmpty()) {
      refusals.forEach(console.err()::println);
      throw new CliException("error: nothing was sent");
    }
  }

  /**
   * Sends what files hold; see {@link #send}.
   *
   * @param wait then waits until every live node has it, that long at most
   */
  static int sendFiles(
      List<String> files,
      Sender sender,
      DryRun dryRun,
      Optional<Duration> wait,
      Fairlead fairlead) {
    if (wait.isPresent() && dryRun == DryRun.SERVER) {
      throw new UsageException("error: --wait has nothing to wait for with --dry-run=server");
    }
    var console = fairlead.console();
    var items = ManifestFiles.read(files, console, fairlead.givenNamespace(), fairlead.namespace());
    refuse(items, sender, console);
    try (var session = fairlead.session()) {
      var changes = new AppliedWait();
      int code = send(items, sender, dryRun, session, console, changes);
      return wait.isPresent() ? Math.max(code, changes.await(session, wait.get(), console)) : code;
    }
  }

  /**
   * Sends all of them, whatever becomes of the others.
   *
   * @return the exit code: 0 where all of them were taken
   */
  static int send(
      List<Manifests.Item> items, Sender sender, DryRun dryRun, Session session, Console console) {
    return send(items, sender, dryRun, session, console, new AppliedWait());
  }

  private static int send(
      List<Manifests.Item> items,
      Sender sender,
      DryRun dryRun,
      Session session,
      Console console,
      AppliedWait changes) {
    int code = 0;
    boolean servicesOnly = items.stream().allMatch(item -> item.object() instanceof OfService);
    for (var item : items) {
      try {
        var done =
            switch (item.object()) {
              case OfService(var service) -> sender.service(session, service, dryRun);
              case OfPod(var pod) -> {
                if (dryRun == DryRun.SERVER) {
                  throw new CliException(about(item) + "--dry-run=server is not for pods");
                }
                yield sender.pod(session, pod);
              }
              case OfServiceCidr(var cidr) -> sender.serviceCidr(session, cidr, dryRun);
              case OfNamespace(var namespace) -> sender.namespace(session, namespace, dryRun);
              case OfEndpointSlice(var slice) -> sender.endpointSlice(session, slice, dryRun);
            };
        var title = ManifestFiles.resource(item).title(done.name());
        console.out().println(said(title, done, dryRun));
        done.warnings().forEach(words -> console.err().println("Warning: " + title + ": " + words));
        changes.changed(done.position());
        if (servicesOnly) {
          changes.changedService(ManifestFiles.meta(item).getNamespace(), done.name());
        }
      } catch (CallFailedException e) {
        console.err().println(e.words(about(item)));
        code = 1;
      } catch (CliException e) {
        console.err().println(e.words());
        code = 1;
      }
    }
    return code;
  }

  /** {@code service/web created}. */
  static String said(String title, Result result, DryRun dryRun) {
    return said(title, words(result), dryRun);
  }

  /** {@code service/web created}. */
  static String said(String title, Done done, DryRun dryRun) {
    return said(title, done.words(), dryRun);
  }

  /** {@code service/web created}. */
  static String said(String title, String words, DryRun dryRun) {
    return title + " " + words + (dryRun == DryRun.SERVER ? " (server dry run)" : "");
  }

  private static String words(Result result) {
    return switch (result) {
      case CREATED -> "created";
      case CONFIGURED -> "configured";
      case UNCHANGED -> "unchanged";
      case DELETED -> "deleted";
      case RESULT_UNSPECIFIED, UNRECOGNIZED -> "done"; // a newer server has more words
    };
  }
}
