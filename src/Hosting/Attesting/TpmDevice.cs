namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>Names of TPMs as an operator writes them: a device's path, or a TCTI's name.</summary>
public static class TpmDevice
{
    /// <summary>The TCTI's name: "device:/dev/tpmrm1", "swtpm:path=/run/tpm".</summary>
    public static string Name(string given) => given.StartsWith('/') ? $"device:{given}" : given;

    /// <summary>Whether it is any TCTI's name at all, of at most 255 bytes.</summary>
    public static bool IsName(string given)
    {
        var name = Name(given);
        return name.IndexOf(':') > 0 && System.Text.Encoding.UTF8.GetByteCount(name) <= 255 && !name.Any(char.IsControl);
    }

    /// <summary>Anything but a device could be a program. A verifier is not asked: a program's endorsement leads to no maker's root.</summary>
    public static bool IsProgram(string given) => !Name(given).StartsWith("device:", StringComparison.Ordinal);
}
