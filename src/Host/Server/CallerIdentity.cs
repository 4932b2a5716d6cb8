namespace OpenGradient.Engine.Host.Server;

/// <summary>Who calls, as far as the gate knows: what the engine is fair between.</summary>
internal static class CallerIdentity
{
    private static readonly object Item = new();

    public static void Set(HttpContext context, string caller) => context.Items[Item] = caller;

    /// <summary>Null where no key is asked for: then everybody is the anonymous caller.</summary>
    public static string? Of(HttpContext context) => context.Items.TryGetValue(Item, out var caller) ? (string?)caller : null;
}
