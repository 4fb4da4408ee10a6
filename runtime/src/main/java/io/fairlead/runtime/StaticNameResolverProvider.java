package io.fairlead.runtime;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Makes targets of several addresses: {@code fairlead:///a:7402,b:7402}. Found by gRPC through its
 * service file; public for that only.
 */
public final class StaticNameResolverProvider extends NameResolverProvider {
  static final String SCHEME = "fairlead";

  /** The target for these addresses. */
  static String target(List<HostPort> addresses) {
    return addresses.stream()
        .map(HostPort::toString)
        .collect(Collectors.joining(",", SCHEME + ":///", ""))
        .replace("[", "%5B") // a URI takes brackets in its authority only
        .replace("]", "%5D");
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    if (!SCHEME.equals(target.getScheme())) {
      throw new IllegalArgumentException("not a target of this resolver: " + target);
    }
    var addresses = new ArrayList<HostPort>();
    for (var text : target.getPath().substring(1).split(",", -1)) {
      addresses.add(HostPort.of(text));
    }
    return new StaticNameResolver(addresses, args);
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 4; // below DNS' 5: never the default for targets without a scheme
  }
}
