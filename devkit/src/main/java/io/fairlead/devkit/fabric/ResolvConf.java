package io.fairlead.devkit.fabric;

import java.util.List;

/**
 * How processes of a namespace resolve names: resolv.conf(5).
 *
 * @param nameservers addresses, asked in this order
 * @param search domains that are tried after a name with fewer dots than ndots
 */
public record ResolvConf(List<String> nameservers, List<String> search, int ndots) {
  public ResolvConf {
    nameservers = List.copyOf(nameservers);
    search = List.copyOf(search);
  }

  /** As a Pod of the namespace has it in Kubernetes. */
  public static ResolvConf ofPod(String nameserver, String namespace, String clusterDomain) {
    return new ResolvConf(
        List.of(nameserver),
        List.of(namespace + ".svc." + clusterDomain, "svc." + clusterDomain, clusterDomain),
        5);
  }

  String text() {
    var text = new StringBuilder();
    nameservers.forEach(server -> text.append("nameserver ").append(server).append('\n'));
    if (!search.isEmpty()) {
      text.append("search ").append(String.join(" ", search)).append('\n');
    }
    return text.append("options ndots:").append(ndots).append('\n').toString();
  }
}
