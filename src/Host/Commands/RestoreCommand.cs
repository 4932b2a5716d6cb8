using System.CommandLine;
using OpenGradient.Engine.Settlement.Backup;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og restore BACKUP FOLDER</c>: a data folder out of a backup.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var backup = new Argument<string>("backup") { Description = "A folder that og backup wrote" };
        var folder = new Argument<string>("folder") { Description = "The data folder to make: absent or empty" };
        var command = new Command("restore", "Check a backup and make a data folder of it") { backup, folder };
        command.SetAction(parsed =>
        {
            var report = DataFolderBackup.Restore(Path.GetFullPath(parsed.GetValue(backup)!), Path.GetFullPath(parsed.GetValue(folder)!));
            Console.WriteLine($"{parsed.GetValue(folder)}: {report.Files} files, {report.Bytes} bytes, each as it was backed up");
            Console.WriteLine("a host over it asks the contract first: if the log went on after the backup, it signs nothing and says so; og repair fetches what is missing");
            return ExitCodes.Ok;
        });
        return command;
    }
}
