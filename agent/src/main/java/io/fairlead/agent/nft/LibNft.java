package io.fairlead.agent.nft;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * nftables in process: the system's libnftables through foreign calls, one context. Confined to the
 * thread that made it, whose network namespace it works in. Only {@link CommandText}'s own text is
 * ever passed in: libnftables ends the whole process on some texts that it cannot translate.
 */
@SuppressWarnings(
    "restricted") // foreign calls are what this is for; the process is started with native access
// enabled
final class LibNft implements AutoCloseable {
  private static final String LIBRARY = "libnftables.so.1";
  private static final int JSON = 1 << 4; // NFT_CTX_OUTPUT_JSON in nftables/libnftables.h
  private static final Pattern VERSION = Pattern.compile("\"version\": ?\"([^\"]+)\"");
  private static final int WORDS = 300;

  private final Arena arena = Arena.ofConfined();
  private final MethodHandle run;
  private final MethodHandle setFlags;
  private final MethodHandle setDryRun;
  private final MethodHandle output;
  private final MethodHandle error;
  private final MethodHandle free;
  private final MemorySegment context;
  private String version = "";

  private LibNft(SymbolLookup library) {
    this.run =
        Foreign.function(
            library, "nft_run_cmd_from_buffer", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
    this.setFlags =
        Foreign.function(
            library, "nft_ctx_output_set_flags", FunctionDescriptor.ofVoid(ADDRESS, JAVA_INT));
    this.setDryRun =
        Foreign.function(
            library, "nft_ctx_set_dry_run", FunctionDescriptor.ofVoid(ADDRESS, JAVA_BOOLEAN));
    this.output =
        Foreign.function(
            library, "nft_ctx_get_output_buffer", FunctionDescriptor.of(ADDRESS, ADDRESS));
    this.error =
        Foreign.function(
            library, "nft_ctx_get_error_buffer", FunctionDescriptor.of(ADDRESS, ADDRESS));
    this.free = Foreign.function(library, "nft_ctx_free", FunctionDescriptor.ofVoid(ADDRESS));
    var create = Foreign.function(library, "nft_ctx_new", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    var bufferOutput =
        Foreign.function(
            library, "nft_ctx_buffer_output", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    var bufferError =
        Foreign.function(library, "nft_ctx_buffer_error", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    try {
      this.context = (MemorySegment) create.invokeExact(0);
      if (context.address() == 0) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, LIBRARY + " gave no context: is there memory left?");
      }
      int failed = (int) bufferOutput.invokeExact(context) | (int) bufferError.invokeExact(context);
      if (failed != 0) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, LIBRARY + " has no memory for its buffers");
      }
    } catch (GatewayException e) {
      throw e;
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
  }

  /**
   * Loads the library and checks that it can do what is needed.
   *
   * @throws GatewayException KNOWN_FAILED with what is missing and what to do about it
   */
  static LibNft open() {
    SymbolLookup library;
    try {
      library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          LIBRARY + " was not found: install nftables (Debian, Ubuntu: package libnftables1)",
          e);
    }
    var nft = new LibNft(library);
    try {
      nft.version = nft.check();
      return nft;
    } catch (RuntimeException e) {
      nft.close();
      throw e;
    }
  }

  /** Of the library, in any listing of JSON, for example {@code 1.0.6}. */
  static Optional<String> version(String json) {
    var version = VERSION.matcher(json);
    return version.find() ? Optional.of(version.group(1)) : Optional.empty();
  }

  private String check() {
    return NftRequirements.check(
        new NftRequirements.Library() {
          @Override
          public String list(NftRequirements.Format format) {
            // any that the library makes without reading all elements of all tables first, as 1.0.6
            // does for "list tables"
            return execute(
                "list flowtables",
                switch (format) {
                  case TEXT -> 0;
                  case JSON -> JSON;
                });
          }

          @Override
          public void tryOut(String commands) {
            dryRun(true);
            try {
              var _ = execute(commands, 0);
            } finally {
              dryRun(false);
            }
          }
        });
  }

  private void dryRun(boolean on) {
    try {
      setDryRun.invokeExact(context, on);
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
  }

  /** The library's. */
  String version() {
    return version;
  }

  /**
   * Does all of the commands in one transaction, or none of them.
   *
   * @throws GatewayException KNOWN_FAILED with the kernel's words where it refuses
   */
  void commit(Layout layout, List<Command> commands) {
    execute(CommandText.render(layout, commands), 0);
  }

  private String execute(String text, int flags) {
    try (var call = Arena.ofConfined()) {
      setFlags.invokeExact(context, flags);
      int result = (int) run.invokeExact(context, nullTerminated(call, text));
      var printed = read((MemorySegment) output.invokeExact(context));
      var words = read((MemorySegment) error.invokeExact(context));
      if (result != 0) {
        throw new GatewayException(Outcome.KNOWN_FAILED, words(words));
      }
      return printed;
    } catch (GatewayException e) {
      throw e;
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
  }

  private static MemorySegment nullTerminated(Arena arena, String text) {
    var bytes = text.getBytes(StandardCharsets.US_ASCII);
    var segment = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
    return segment;
  }

  private static String read(MemorySegment pointer) {
    return pointer.address() == 0 ? "" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** The sentences of an error, without the echo of the commands: these may be long. */
  private static String words(String error) {
    var sentences =
        error
            .lines()
            .filter(line -> line.contains("Error: "))
            .map(line -> line.substring(line.indexOf("Error: ") + "Error: ".length()))
            .distinct()
            .limit(3)
            .collect(Collectors.joining("; "));
    var all = sentences.isEmpty() ? error.strip() : sentences;
    return all.isEmpty()
        ? "refused without words"
        : all.substring(0, Math.min(WORDS, all.length()));
  }

  @Override
  public void close() {
    try {
      free.invokeExact(context);
    } catch (Throwable e) {
      throw Foreign.unexpected(e);
    }
    arena.close();
  }
}
