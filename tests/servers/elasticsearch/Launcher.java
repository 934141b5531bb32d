import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one Elasticsearch node for tests out of its published parts: a real node, without the distribution's scripts.
 * Arguments: the folder of modules, then settings as name=value. Prints "Node started" when it answers.
 */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] arguments) throws Exception {
        LogConfigurator.configureESLogging();
        Settings.Builder settings = Settings.builder();
        for (int at = 1; at < arguments.length; at++) {
            String[] pair = arguments[at].split("=", 2);
            if (pair[1].indexOf(',') >= 0) {
                settings.putList(pair[0], pair[1].split(","));
            } else {
                settings.put(pair[0], pair[1]);
            }
        }
        try {
            start(Path.of(arguments[0]), settings.build());
        } catch (Throwable failure) {
            failure.printStackTrace();
            // The threads that already run would keep the process alive without a node in it.
            Runtime.getRuntime().halt(1);
        }
    }

    private static void start(Path modules, Settings settings) throws Exception {
        Path home = Path.of(settings.get("path.home"));
        Files.createDirectories(home.resolve("config"));
        Environment environment =
                InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "node");
        LogConfigurator.setNodeName(settings.get("node.name", "node"));
        // The last argument: from the class path, since the published jars do not make up a module graph.
        PluginsLoader loader = PluginsLoader.createPluginsLoader(
                PluginsLoader.loadModulesBundles(modules), Set.of(), Map.of(), false);
        Node node = new Node(environment, loader);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close-node"));
        node.start();
        System.out.println("Node started");
        // Every thread of a node is a daemon: without one that waits, the process would end here.
        new CountDownLatch(1).await();
    }

    private static void close(Node node) {
        try {
            node.prepareForClose();
            node.close();
            node.awaitClose(20, TimeUnit.SECONDS);
        } catch (Exception failure) {
            failure.printStackTrace();
        }
    }
}
