package io.fairlead.devkit.fabric;

import java.util.List;

/**
 * Removes what crashes have left of the fabrics with the ids given. Exit code 1 where one of them
 * is in use or cannot be removed; it says so, and goes on with the others.
 */
public final class ClearMain {
  private ClearMain() {}

  public static void main(String[] ids) {
    int code = 0;
    for (var id : List.of(ids)) {
      try {
        Fabric.clear(id);
        System.out.println("cleared " + id);
      } catch (FabricException | IllegalArgumentException e) {
        System.out.println(e.getMessage());
        code = 1;
      }
    }
    System.exit(code);
  }
}
