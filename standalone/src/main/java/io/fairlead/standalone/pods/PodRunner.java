package io.fairlead.standalone.pods;

import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.Metrics;
import io.fairlead.standalone.pods.client.GrpcPodApi;
import io.fairlead.standalone.pods.grpc.PodRuntimeService;
import io.fairlead.standalone.pods.run.Images;
import io.fairlead.standalone.pods.run.Kit;
import io.fairlead.standalone.pods.run.PodSupervisor;
import io.fairlead.standalone.pods.run.Sandbox;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Runs the API's Pods as processes on the nodes of a fabric, and serves PodRuntime. A client of the
 * API only: what it knows it learns from there and tells there; of its own it keeps what containers
 * print. Needs root. While the API is away, Pods go on.
 */
public final class PodRunner implements AutoCloseable {
  private final GrpcPodApi api;
  private final PodSupervisor pods;
  private final GrpcServer server;
  private final Path images;

  private PodRunner(GrpcPodApi api, PodSupervisor pods, GrpcServer server, Path images) {
    this.images = images;
    this.api = api;
    this.pods = pods;
    this.server = server;
  }

  /**
   * Starts; the API need not answer yet.
   *
   * @throws io.fairlead.devkit.process.LaunchException a program that it needs is not installed
   * @throws io.fairlead.runtime.ListenException the address cannot be listened on
   */
  public static PodRunner start(PodRunnerConfig config, Fabric fabric, Metrics metrics, Time time) {
    var sandbox = Sandbox.of(config.user());
    var images = Images.in(config.images());
    var api = GrpcPodApi.of(config.allocator(), config.endpoints(), RandomSource.secure());
    try {
      var kit =
          new Kit(
              api,
              fabric,
              sandbox,
              images,
              config.directory(),
              config.nameserver(),
              config.clusterDomain(),
              time);
      var pods = new PodSupervisor(kit, config.shutdownGrace());
      var server =
          GrpcServer.start(
              GrpcServer.Settings.listening(config.listen())
                  .withDrain(Duration.ofSeconds(1))
                  .withAllowFrom(config.allowFrom()),
              List.of(new PodRuntimeService(pods)),
              List.of(),
              metrics);
      pods.start();
      server.readiness(GrpcServer.Readiness.READY);
      return new PodRunner(api, pods, server, config.images());
    } catch (RuntimeException e) {
      api.close();
      throw e;
    }
  }

  /** The port of PodRuntime. */
  public int port() {
    return server.port();
  }

  /** Whether the API has told all its Pods, and those that are to run here were begun. */
  public boolean isSynced() {
    return pods.isSynced();
  }

  /** Ends all Pods' processes; their records stay, so that the next runner starts them again. */
  @Override
  public void close() {
    server.close();
    api.close(); // first, so that nothing of the end is told
    pods.close();
    Images.remove(images);
  }
}
