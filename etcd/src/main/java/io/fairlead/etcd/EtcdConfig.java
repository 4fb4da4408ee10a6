package io.fairlead.etcd;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How etcd is reached.
 *
 * @param endpoints {@code http://host:port}, at least one; of several, those that answer are used
 * @param callTimeout limit for one call, from 100 ms to 1 min
 */
public record EtcdConfig(List<String> endpoints, Duration callTimeout) {
  public static final Duration DEFAULT_CALL_TIMEOUT = Duration.ofSeconds(2);

  public EtcdConfig {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException(
          "etcd endpoints: at least one is needed, such as http://127.0.0.1:2379");
    }
    if (Set.copyOf(endpoints).size() != endpoints.size()) {
      throw new IllegalArgumentException("etcd endpoints: one is named twice in " + endpoints);
    }
    endpoints.forEach(EtcdConfig::check);
    if (callTimeout.compareTo(Duration.ofMillis(100)) < 0
        || callTimeout.compareTo(Duration.ofMinutes(1)) > 0) {
      throw new IllegalArgumentException(
          "etcd call time-out: " + callTimeout + " is not within PT0.1S and PT1M");
    }
  }

  /** With the default time-out. */
  public static EtcdConfig of(List<String> endpoints) {
    return new EtcdConfig(endpoints, DEFAULT_CALL_TIMEOUT);
  }

  List<URI> uris() {
    return endpoints.stream().map(URI::create).toList();
  }

  private static void check(String endpoint) {
    URI uri;
    try {
      uri = URI.create(endpoint);
    } catch (IllegalArgumentException e) {
      throw refused(endpoint, e);
    }
    boolean bare =
        (uri.getPath() == null || uri.getPath().isEmpty() || uri.getPath().equals("/"))
            && uri.getQuery() == null
            && uri.getUserInfo() == null;
    if (!"http".equals(uri.getScheme()) || uri.getHost() == null || uri.getPort() < 1 || !bare) {
      throw refused(endpoint, null);
    }
  }

  private static IllegalArgumentException refused(String endpoint, @Nullable Throwable cause) {
    return new IllegalArgumentException(
        "etcd endpoint '" + endpoint + "' is not of the form http://host:port", cause);
  }
}
