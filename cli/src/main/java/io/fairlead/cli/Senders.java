package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import io.fairlead.api.manifest.ManifestObject.OfServiceCidr;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.ApplyServiceCidrRequest;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import java.util.List;

/** Sends the objects of manifests, one after another, and says what became of each. */
final class Senders {
  private Senders() {}

  /** Whether the server is only asked what it would do. */
  enum DryRun {
    NONE,
    SERVER
  }

  /** How an object is sent; both answer what was done. */
  interface Sender {
    Result service(Session session, Service service, DryRun dryRun);

    Result pod(Session session, Pod pod);

    Result namespace(Session session, Namespace namespace, DryRun dryRun);

    Result serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun);
  }

  /** Creates or changes. */
  static final class Apply implements Sender {
    @Override
    public Result service(Session session, Service service, DryRun dryRun) {
      var request =
          ApplyServiceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setService(service)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.services(stub -> stub.apply(request)).getResult();
    }

    @Override
    public Result pod(Session session, Pod pod) {
      var request =
          ApplyPodRequest.newBuilder().setRequestId(session.requestId()).setPod(pod).build();
      return session.pods(stub -> stub.apply(request)).getResult();
    }

    @Override
    public Result namespace(Session session, Namespace namespace, DryRun dryRun) {
      var request =
          ApplyNamespaceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setNamespace(namespace)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.namespaces(stub -> stub.apply(request)).getResult();
    }

    @Override
    public Result serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun) {
      var request =
          ApplyServiceCidrRequest.newBuilder()
              .setRequestId(session.requestId())
              .setServiceCidr(cidr)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.serviceCidrs(stub -> stub.apply(request)).getResult();
    }
  }

  /** Creates only. */
  static final class Create implements Sender {
    @Override
    public Result service(Session session, Service service, DryRun dryRun) {
      var request =
          CreateServiceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setService(service)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.services(stub -> stub.create(request)).getResult();
    }

    @Override
    public Result pod(Session session, Pod pod) {
      throw new CliException("error: Pods are reported, not created: use fairlead apply");
    }

    @Override
    public Result namespace(Session session, Namespace namespace, DryRun dryRun) {
      var request =
          CreateNamespaceRequest.newBuilder()
              .setRequestId(session.requestId())
              .setNamespace(namespace)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.namespaces(stub -> stub.create(request)).getResult();
    }

    @Override
    public Result serviceCidr(Session session, ServiceCidr cidr, DryRun dryRun) {
      var request =
          CreateServiceCidrRequest.newBuilder()
              .setRequestId(session.requestId())
              .setServiceCidr(cidr)
              .setDryRun(dryRun == DryRun.SERVER)
              .build();
      return session.serviceCidrs(stub -> stub.create(request)).getResult();
    }
  }

  /**
   * Sends all of them, whatever becomes of the others.
   *
   * @return the exit code: 0 where all of them were taken
   */
  static int send(
      List<Manifests.Item> items, Sender sender, DryRun dryRun, Session session, Console console) {
    int code = 0;
    for (var item : items) {
      try {
        var result =
            switch (item.object()) {
              case OfService(var service) -> sender.service(session, service, dryRun);
              case OfPod(var pod) -> {
                if (dryRun == DryRun.SERVER) {
                  throw new CliException("error: --dry-run=server is not for pods");
                }
                yield sender.pod(session, pod);
              }
              case OfServiceCidr(var cidr) -> sender.serviceCidr(session, cidr, dryRun);
              case OfNamespace(var namespace) -> sender.namespace(session, namespace, dryRun);
            };
        console.out().println(said(item.object().title(), result, dryRun));
      } catch (CallFailedException e) {
        console
            .err()
            .println(
                e.words(
                    "error with %s (%s:%d): "
                        .formatted(item.object().title(), item.source(), item.line())));
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
    return title + " " + words(result) + (dryRun == DryRun.SERVER ? " (server dry run)" : "");
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
