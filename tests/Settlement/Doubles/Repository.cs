namespace OpenGradient.Engine.Settlement.Tests.Doubles;

internal static class Repository
{
    /// <summary>The checkout this test was built from.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException("the tests must run inside the checkout");
    }
}
