package io.fairlead.devkit.kafka;

import io.fairlead.devkit.process.Ports;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * What one of several brokers knows of the others. Each is broker and controller; a majority of
 * them has to run for any to serve.
 *
 * @param clusterId the same for all, as {@link Uuid} writes it
 * @param nodeId of this one
 * @param voters all of them, with this one: node id, and {@code host:port} of its controller
 */
public record KafkaQuorum(String clusterId, int nodeId, List<Voter> voters) {
  /** One controller. */
  public record Voter(int nodeId, String controller) {
    @Override
    public String toString() {
      return nodeId + "@" + controller;
    }
  }

  public KafkaQuorum {
    voters = List.copyOf(voters);
    var ids = new HashSet<Integer>();
    for (var voter : voters) {
      if (!ids.add(voter.nodeId())) {
        throw new IllegalArgumentException("node " + voter.nodeId() + " is named twice");
      }
    }
    if (!ids.contains(nodeId)) {
      throw new IllegalArgumentException(
          "node %d is none of the voters %s".formatted(nodeId, voters));
    }
    try {
      var _ = Uuid.fromString(clusterId);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "cluster id '%s': 16 octets in base64url are expected".formatted(clusterId), e);
    }
  }

  /**
   * So many brokers on 127.0.0.1, on ports that are free now, each with its directory {@code
   * kafka-N} below the given one. Start them side by side: none is ready before a majority runs.
   */
  public static List<EmbeddedKafka.Config> loopback(Path directory, int brokers) {
    var host = "127.0.0.1";
    var ports = Ports.free(host, 2 * brokers);
    var clusterId = Uuid.randomUuid().toString();
    var voters = new ArrayList<Voter>();
    for (int i = 0; i < brokers; i++) {
      voters.add(new Voter(i + 1, host + ":" + ports.get(2 * i + 1)));
    }
    var configs = new ArrayList<EmbeddedKafka.Config>();
    for (int i = 0; i < brokers; i++) {
      configs.add(
          new EmbeddedKafka.Config(
              directory.resolve("kafka-" + (i + 1)).resolve("data"),
              host,
              ports.get(2 * i),
              ports.get(2 * i + 1),
              Optional.of(new KafkaQuorum(clusterId, i + 1, voters)),
              Map.of()));
    }
    return List.copyOf(configs);
  }

  /** Copies of what the brokers keep for themselves: three where there are so many. */
  int replicas() {
    return Math.min(3, voters.size());
  }

  /** {@code controller.quorum.voters}. */
  String votersSetting() {
    return voters.stream().map(Voter::toString).collect(Collectors.joining(","));
  }

  /** From {@link #votersSetting}; IllegalArgumentException where it is none. */
  static List<Voter> parseVoters(String text) {
    var voters = new ArrayList<Voter>();
    for (var part : text.split(",", -1)) {
      var at = part.indexOf('@');
      if (at < 1 || !part.substring(0, at).matches("[0-9]{1,9}") || at == part.length() - 1) {
        throw new IllegalArgumentException("voter '%s' is not ID@HOST:PORT".formatted(part));
      }
      voters.add(new Voter(Integer.parseInt(part.substring(0, at)), part.substring(at + 1)));
    }
    return List.copyOf(voters);
  }
}
