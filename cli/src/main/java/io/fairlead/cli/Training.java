package io.fairlead.cli;

import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Position;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The training run (JEP 514) of the start-up cache: runs short verbs in one JVM against a server of
 * its own that says the same always. Not part of the command.
 */
public final class Training {
  private static final String MANIFEST =
      """
      apiVersion: v1
      kind: Service
      metadata:
        name: web
      spec:
        ports:
          - port: 80
      """;

  private static final List<List<String>> VERBS =
      List.of(
          List.of("version"),
          List.of("--help"),
          List.of("apply", "-f", "-"),
          List.of("get", "svc"),
          List.of("get", "svc", "-o", "yaml"));

  private Training() {}

  /**
   * @param more classes of further subcommands
   * @throws IllegalStateException when a verb did not end as it should: the cache would lack things
   */
  public static void run(List<Class<?>> more) throws IOException {
    Main.quieten();
    var server = serve();
    try {
      var address = "127.0.0.1:" + server.getPort();
      var environment = Map.of("FAIRLEAD_ALLOCATOR", address, "FAIRLEAD_ENDPOINTS", address);
      for (var words : VERBS) {
        int code = run(words, environment, more);
        if (code != 0) {
          throw new IllegalStateException(words + " ended with " + code);
        }
      }
    } finally {
      server.shutdownNow();
    }
  }

  private static int run(List<String> words, Map<String, String> environment, List<Class<?>> more) {
    var nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    var stdin = new ByteArrayInputStream(MANIFEST.getBytes(StandardCharsets.UTF_8));
    var console = new Console(stdin, nowhere, System.err);
    return new Fairlead(console, environment, Time.system(), RandomSource.secure())
        .commandLine(more)
        .execute(words.toArray(String[]::new));
  }

  private static Server serve() throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(new OneService())
        .build()
        .start();
  }

  /** Knows one Service. */
  private static final class OneService extends ServicesGrpc.ServicesImplBase {
    private static final Position POSITION =
        Position.newBuilder().setLog("training").setOffsets("1").build();
    private static final Service WEB =
        Service.newBuilder()
            .setMetadata(
                ObjectMeta.newBuilder()
                    .setNamespace("default")
                    .setName("web")
                    .setUid("00000000-0000-4000-8000-000000000000")
                    .setResourceVersion("1"))
            .setSpec(
                ServiceSpec.newBuilder()
                    .setType("ClusterIP")
                    .setClusterIp("10.96.0.1")
                    .addClusterIps("10.96.0.1")
                    .addPorts(
                        ServicePort.newBuilder()
                            .setProtocol("TCP")
                            .setPort(80)
                            .setTargetPort("80")))
            .build();

    @Override
    public void list(ListServicesRequest request, StreamObserver<ListServicesReply> reply) {
      reply.onNext(ListServicesReply.newBuilder().addItems(WEB).setPosition(POSITION).build());
      reply.onCompleted();
    }

    @Override
    public void apply(ApplyServiceRequest request, StreamObserver<ServiceReply> reply) {
      reply.onNext(
          ServiceReply.newBuilder()
              .setService(WEB)
              .setPosition(POSITION)
              .setResult(Result.UNCHANGED)
              .build());
      reply.onCompleted();
    }
  }
}
