namespace OpenGradient.Engine.Hosting;

/// <summary>Where an installation keeps what outlives a process.</summary>
/// <param name="Root">Only its owner may enter it.</param>
public sealed record DataFolder(string Root)
{
    public string Keys => Path.Combine(Root, "keys");

    public string Outbox => Path.Combine(Root, "outbox");

    /// <summary>C2SP tiles, entry bundles and the checkpoint.</summary>
    public string Log => Path.Combine(Root, "log");

    /// <summary>Answers whose release took longer than their caller waited.</summary>
    public string Answers => Path.Combine(Root, "answers");

    /// <summary>Fraud bundles: made with the first.</summary>
    public string Fraud => Path.Combine(Root, "fraud");

    /// <summary>Inputs kept for audits, encrypted, where they are kept on disk.</summary>
    public string Retained => Path.Combine(Root, "retained");

    public string RetentionKeys => Path.Combine(Keys, "retention");

    public string LogKey => Path.Combine(Keys, "log.key");

    public string SoftwareRoot => Path.Combine(Keys, "software-root.key");

    /// <summary>Which platform evidence was accepted when its epoch began.</summary>
    public string AcceptedEpochs => Path.Combine(Keys, "accepted-epochs");

    public string TransactionKey => Path.Combine(Keys, "transaction.key");

    /// <summary>Creates the folders, closed to others.</summary>
    /// <exception cref="IOException">A folder cannot be created.</exception>
    public DataFolder Create()
    {
        foreach (var folder in new[] { Root, Keys, Outbox, Log })
        {
            if (Directory.Exists(folder)) continue;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return this;
    }
}
