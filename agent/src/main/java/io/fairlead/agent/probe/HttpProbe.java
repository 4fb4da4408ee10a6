package io.fairlead.agent.probe;

import io.fairlead.agent.probe.Probes.Target;
import io.fairlead.core.model.Pod;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * HTTP GET as the kubelet's probes make it (HTTP/1.1, RFC 9112): certificates are not verified,
 * redirects are followed on the same host only, bodies are not read. A client of our own: the JDK's
 * keeps threads and connections, which a probe a second for each of hundreds of Pods does not need.
 */
final class HttpProbe {
  private static final String HOST = "Host";
  private static final String ACCEPT = "Accept";
  private static final String CONNECTION = "Connection";
  private static final int MAX_REDIRECTS = 10;
  private static final int MAX_HEAD = 64 << 10;
  private static final Guard NO_GUARD = () -> {};

  private HttpProbe() {}

  /** Opens connections. */
  interface Connector {
    Socket connect(Target target, Deadline deadline) throws IOException;
  }

  private record Head(int code, Optional<String> location) {}

  /**
   * The status of the last answer.
   *
   * @throws IOException there was none in time, or it was not HTTP
   */
  static int code(Pod.HttpGet get, Target target, Deadline deadline, Connector connector)
      throws IOException {
    var scheme = get.scheme();
    var at = target;
    var path = get.path().startsWith("/") ? get.path() : "/" + get.path();
    for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      var head = ask(scheme, at, path, get.headers(), deadline, connector);
      var next = redirect(head, scheme, at, path);
      if (next.isEmpty()) {
        return head.code();
      }
      var uri = next.get();
      scheme = "https".equals(uri.getScheme()) ? Pod.Scheme.HTTPS : Pod.Scheme.HTTP;
      at = new Target(at.host(), port(uri));
      path = target(uri);
    }
    throw new IOException("more than " + MAX_REDIRECTS + " redirects");
  }

  /** Where to go next; empty = this answer counts: no redirect, or to another host. */
  private static Optional<URI> redirect(Head head, Pod.Scheme scheme, Target at, String path)
      throws IOException {
    boolean redirects =
        switch (head.code()) {
          case 301, 302, 303, 307, 308 -> true;
          default -> false;
        };
    if (!redirects || head.location().isEmpty()) {
      return Optional.empty();
    }
    try {
      var base = new URI(scheme.name().toLowerCase(Locale.ROOT) + "://" + authority(at) + path);
      var uri = base.resolve(new URI(head.location().get()));
      boolean web = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (uri.getPort() > 0xffff) {
        throw new IOException("redirect to a malformed location");
      }
      return web && uri.getHost() != null && uri.getHost().equalsIgnoreCase(base.getHost())
          ? Optional.of(uri)
          : Optional.empty();
    } catch (URISyntaxException | IllegalArgumentException _) {
      throw new IOException("redirect to a malformed location");
    }
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0 ? uri.getPort() : "https".equals(uri.getScheme()) ? 443 : 80;
  }

  private static String target(URI uri) {
    var path = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
    return uri.getRawQuery() == null ? path : path + "?" + uri.getRawQuery();
  }

  private static String authority(Target target) {
    return (target.host().indexOf(':') >= 0 ? "[" + target.host() + "]" : target.host())
        + ":"
        + target.port();
  }

  private static Head ask(
      Pod.Scheme scheme,
      Target target,
      String path,
      List<Pod.HttpHeader> headers,
      Deadline deadline,
      Connector connector)
      throws IOException {
    try (var plain = connector.connect(target, deadline);
        var _ = scheme == Pod.Scheme.HTTPS ? guard(plain, deadline) : NO_GUARD;
        var socket = scheme == Pod.Scheme.HTTPS ? tls(plain, target, deadline) : plain) {
      socket.getOutputStream().write(request(target, path, headers));
      socket.getOutputStream().flush();
      return head(socket, deadline);
    } catch (IOException e) {
      if (deadline.isOver()) {
        throw new SocketTimeoutException("time is up");
      }
      throw e;
    }
  }

  /** Ends with the connection. */
  private interface Guard extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Closes the connection when the time is up: TLS reads as often as it likes, and each read may
   * take as long as the socket allows.
   */
  private static Guard guard(Socket socket, Deadline deadline) {
    var thread =
        Thread.ofVirtual()
            .name("probe-guard")
            .start(() -> {
              try {
                deadline.await();
                socket.close();
              } catch (InterruptedException _) {
                Thread.currentThread().interrupt(); // the probe is over
              } catch (IOException _) {
                // closed all the same
              }
            });
    return thread::interrupt;
  }

  /** The Pod's headers in their order, also a name that occurs twice; ours where it gives none. */
  private static byte[] request(Target target, String path, List<Pod.HttpHeader> given) {
    var names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    given.forEach(header -> names.add(header.name()));
    var headers = new ArrayList<Pod.HttpHeader>();
    headers.add(
        given.stream()
            .filter(header -> header.name().equalsIgnoreCase(HOST))
            .findFirst()
            .orElseGet(() -> new Pod.HttpHeader(HOST, authority(target))));
    Stream.of(new Pod.HttpHeader("User-Agent", "fairlead-probe"), new Pod.HttpHeader(ACCEPT, "*/*"))
        .filter(header -> !names.contains(header.name()))
        .forEach(headers::add);
    given.stream()
        .filter(header -> !header.name().equalsIgnoreCase(HOST))
        .filter(header -> !header.name().equalsIgnoreCase(CONNECTION))
        // "" = send none, as kubelet
        .filter(header -> !(header.value().isEmpty() && header.name().equalsIgnoreCase(ACCEPT)))
        .forEach(headers::add);
    headers.add(new Pod.HttpHeader(CONNECTION, "close"));
    var text =
        new StringBuilder("GET ").append(clean(path).replace(" ", "%20")).append(" HTTP/1.1\r\n");
    for (var header : headers) {
      text.append(header.name()).append(": ").append(clean(header.value())).append("\r\n");
    }
    return text.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  /** No line breaks: what a Pod asks for must stay one request. */
  private static String clean(String text) {
    return text.replaceAll("[\\r\\n]", "");
  }

  private static Head head(Socket socket, Deadline deadline) throws IOException {
    var in = new BufferedInputStream(socket.getInputStream());
    var left = new int[] {MAX_HEAD};
    Head head;
    do { // 1xx are not the answer yet
      var status = line(in, socket, deadline, left);
      var parts = status.split(" ", 3);
      if (parts.length < 2 || !parts[0].startsWith("HTTP/") || !parts[1].matches("[1-9][0-9]{2}")) {
        throw new IOException("not an HTTP answer");
      }
      Optional<String> location = Optional.empty();
      for (var line = line(in, socket, deadline, left);
          !line.isEmpty();
          line = line(in, socket, deadline, left)) {
        int colon = line.indexOf(':');
        if (colon > 0 && line.substring(0, colon).equalsIgnoreCase("Location")) {
          location = Optional.of(line.substring(colon + 1).strip());
        }
      }
      head = new Head(Integer.parseInt(parts[1]), location);
    } while (head.code() < 200);
    return head;
  }

  private static String line(InputStream in, Socket socket, Deadline deadline, int[] left)
      throws IOException {
    var text = new StringBuilder();
    while (true) {
      socket.setSoTimeout(deadline.leftMillis());
      int octet = in.read();
      if (octet < 0) {
        throw new IOException("connection closed before an answer");
      }
      if (--left[0] < 0) {
        throw new IOException("headers longer than " + MAX_HEAD + " bytes");
      }
      if (octet == '\n') {
        int end = text.length();
        return end > 0 && text.charAt(end - 1) == '\r'
            ? text.substring(0, end - 1)
            : text.toString();
      }
      text.append((char) octet);
    }
  }

  private static Socket tls(Socket plain, Target target, Deadline deadline) throws IOException {
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new TrustsAll()}, new SecureRandom());
      plain.setSoTimeout(deadline.leftMillis());
      var socket =
          (SSLSocket)
              context.getSocketFactory().createSocket(plain, target.host(), target.port(), true);
      socket.startHandshake();
      return socket;
    } catch (GeneralSecurityException e) {
      throw new IOException("TLS cannot be used: " + e.getMessage(), e);
    }
  }

  /** As the kubelet: a probe asks whether the Pod answers, not who it is. */
  private static final class TrustsAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
