package io.fairlead.devkit.fabric;

import io.fairlead.devkit.process.ProcessLock;
import io.fairlead.devkit.process.PublicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What of this machine's address space a fabric uses; kept for it by a lock on its number.
 *
 * @param nodes a /24
 * @param management a /30: .1 is this machine, .2 the fabric
 */
record Addresses(Ipv4Network nodes, Ipv4Network management, ProcessLock lock) {
  private static final Path LOCKS = Path.of("/run/fairlead");
  private static final int NUMBERS = 255;

  String fabricSide() {
    return management.address(2);
  }

  /**
   * Takes the number that the spec wants, or looks for a free one, from a start that depends on the
   * id so that it usually stays the same.
   *
   * @throws FabricException when that number, or every one, is in use
   */
  static Addresses choose(FabricSpec spec, Ip ip) {
    var routes = ip.ask(List.of("-4", "-o", "route", "show", "table", "all"));
    if (spec.number().isPresent()) {
      var number = spec.number().getAsInt();
      return take(spec, number, routes)
          .orElseThrow(() ->
              new FabricException(
                  "fabric number %d is in use on this machine (%s, %s)"
                      .formatted(number, nodes(spec, number), management(spec, number))));
    }
    var start = Math.floorMod(spec.id().hashCode(), NUMBERS);
    return IntStream.range(0, NUMBERS)
        .mapToObj(i -> take(spec, (start + i) % NUMBERS, routes))
        .flatMap(Optional::stream)
        .findFirst()
        .orElseThrow(() ->
            new FabricException(
                "no /24 of %s is free on this machine".formatted(spec.nodeNetwork())));
  }

  private static Optional<Addresses> take(FabricSpec spec, int number, String routes) {
    var nodes = nodes(spec, number);
    var management = management(spec, number);
    if (isRouted(nodes, routes) || isRouted(management, routes)) {
      return Optional.empty();
    }
    // the whole /16s are in the name: fabrics of different networks may have one number
    var name =
        "fabric-%s-%s-%d.lock"
            .formatted(spec.nodeNetwork().address(0), spec.managementNetwork().address(0), number);
    return lock(name).map(lock -> new Addresses(nodes, management, lock));
  }

  /** Something of this machine that one fabric may have; empty where a live process has it. */
  static Optional<ProcessLock> lock(String name) {
    try {
      PublicFiles.directory(LOCKS); // holds what others may read, too
    } catch (IOException e) {
      throw new FabricException("cannot make " + LOCKS, e);
    }
    return ProcessLock.tryTakeForAWhile(LOCKS.resolve(name));
  }

  private static boolean isRouted(Ipv4Network network, String routes) {
    return routes.lines().anyMatch(line -> line.startsWith(network + " "));
  }

  private static Ipv4Network nodes(FabricSpec spec, int number) {
    return spec.nodeNetwork().part(24, number);
  }

  private static Ipv4Network management(FabricSpec spec, int number) {
    // the first /30 of each /24: 169.254.x.0/30; so not the metadata addresses that clouds have at
    // .169.254
    return spec.managementNetwork().part(24, number).part(30, 0);
  }
}
