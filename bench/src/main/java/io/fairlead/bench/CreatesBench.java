package io.fairlead.bench;

import io.fairlead.testbed.cluster.Api;
import io.fairlead.testbed.cluster.Cluster;
import io.fairlead.testbed.cluster.ClusterSpec;
import io.fairlead.v1.Service;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/**
 * Services created per second by 16 clients, each waiting for its answer; two replicas of each
 * service, one broker, one etcd.
 */
final class CreatesBench implements Bench.Scenario {
  private static final int CLIENTS = 16;
  private static final int WARM_UP = 500;
  private static final int CREATES = 3_000;

  @Override
  public List<Figure> run(Bench.Progress progress) throws Exception {
    progress.say("starting a cluster");
    var directory = Files.createTempDirectory("fairlead-bench");
    try (var cluster = Cluster.start(ClusterSpec.of("benchc", directory));
        var api = new Api(cluster)) {
      progress.say("warming up with " + WARM_UP + " creates");
      create(api, "warm", WARM_UP, new Samples());
      progress.say("measuring " + CREATES + " creates by " + CLIENTS + " clients");
      var samples = new Samples();
      long start = System.nanoTime();
      create(api, "bench", CREATES, samples);
      double seconds = (System.nanoTime() - start) / 1e9;
      var figures = new ArrayList<Figure>();
      figures.add(new Figure("creates.rate.mean", CREATES / seconds, "1/s", CREATES));
      figures.addAll(samples.figures("creates.latency"));
      return figures;
    }
  }

  private static void create(Api api, String prefix, int count, Samples samples) throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var tasks = new ArrayList<Callable<Boolean>>();
      for (int client = 0; client < CLIENTS; client++) {
        int own = client;
        tasks.add(() -> {
          for (int i = own; i < count; i += CLIENTS) {
            var service = service(prefix + "-" + i);
            long start = System.nanoTime();
            api.createUntilAnswered(service);
            samples.add(Duration.ofNanos(System.nanoTime() - start));
          }
          return true;
        });
      }
      for (var task : threads.invokeAll(tasks)) {
        task.get();
      }
    }
  }

  private static Service service(String name) {
    return Api.parse(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: %s}
            spec:
              selector: {app: nobody}
              ports: [{port: 80}]
            """
                .formatted(name))
        .getFirst();
  }
}
